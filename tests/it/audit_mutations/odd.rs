//! What two programs may easily read in two ways: files that cannot be read.

use std::fs;

use super::both;
use super::copies::{arguments, copied};
use super::material::Material;

#[test]
fn a_part_that_cannot_be_read_is_unreadable_and_not_tampered_with() {
    let material = Material::make();
    let log = material.logs().swap_remove(2);
    let folder = tempfile::tempdir().unwrap();
    let (place, copy) = (folder.path().join("log"), folder.path().join("copy"));
    log.write(&place);
    fs::write(&copy, copied(&log).concat()).unwrap();
    let middle = log.files.keys().find(|name| name.ends_with(".2.jsonl")).unwrap();
    fs::remove_file(place.join(middle)).unwrap();
    // Nobody reads a folder as a file, root neither.
    fs::create_dir(place.join(middle)).unwrap();
    let places = [place];
    for arguments in [[].as_slice(), &arguments(&material, &copy)] {
        let (ours, theirs) = both(&places, arguments).remove(0);
        assert_eq!(ours, theirs);
        assert_eq!((ours.0[middle], ours.1), (3, 3), "{ours:?}");
        assert!(ours.0.iter().all(|(name, code)| name == middle || *code == 0), "{ours:?}");
    }
}
