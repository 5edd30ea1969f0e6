//! `/etc/kms-mcp/config.toml` bounds the user's settings, or no server starts.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{USER, give, refused, run, said, set_mode, start_record};
use crate::harness::{Namespace, Server, ServerOptions};

fn tools(server: &mut Server) -> Vec<String> {
    let listed = server.request("tools/list", json!({}));
    let names = listed["result"]["tools"].as_array().unwrap().iter();
    names.map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_file_flag_or_variable_of_the_user_loosens_what_root_says() {
    let Some(namespace) = Namespace::new() else { return };
    let folder = namespace.home(0);
    set_mode(folder.path(), 0o755);
    let (roots, users) = (folder.path().join("roots"), folder.path().join("users"));
    for folder in [&roots, &users] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("value"), "value-of-a-file").unwrap();
    }
    namespace.write_settings(&format!(
        "policy = 'metadata-only'\n[sources]\nfiles = ['{}']\n[network]\nendpoints = []\n",
        roots.display()
    ));
    let users_settings = format!(
        "policy = 'default'\n[sources]\nfiles = ['{}']\n[network]\nendpoints = ['http://127.0.0.1:*']\n",
        users.display()
    );
    let bare = || ServerOptions { unsigned: false, loopback: false, ..ServerOptions::embedded() };
    let options = || namespace.options(USER, bare().config(&users_settings));
    let elsewhere = namespace.home(USER);
    let other_folder = elsewhere.path().display().to_string();
    let tries = [
        options(),
        options().arg("--policy").arg("default"),
        options().env("KMS_MCP_POLICY", "default"),
        options().env("XDG_CONFIG_HOME", &other_folder),
        ServerOptions { config: None, ..options() },
    ];
    for options in tries {
        let home = namespace.home(USER);
        let mut server = Server::start_in(home.path(), options);
        let listed = tools(&mut server);
        assert!(listed.contains(&"ListSecrets".into()), "{listed:?}");
        assert!(!listed.contains(&"CreateSecret".into()), "{listed:?}");
        assert_eq!(start_record(&server)["anchored"], "settings");
    }
    let home = namespace.home(USER);
    let stderr = refused(
        home.path(),
        namespace.options(
            USER,
            ServerOptions { arguments: Vec::new(), ..bare() }
                .config(&users_settings)
                .arg("--endpoint")
                .arg("http://127.0.0.1:1"),
        ),
    );
    assert!(stderr.contains("network"), "{stderr}");

    // Nor does a variable say who counts as KMS.
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        let home = namespace.home(USER);
        let options = ServerOptions { arguments: Vec::new(), ..bare() }.env(name, "/etc/ssl");
        let stderr = refused(home.path(), namespace.options(USER, options));
        assert!(stderr.contains(&format!("`{name}` is set")), "{stderr}");
    }

    // Nor does a folder of the user's take the place of root's.
    namespace.write_settings(&format!("[sources]\nfiles = ['{}']\n", roots.display()));
    let home = namespace.home(USER);
    let mut server = Server::start_in(home.path(), options());
    let create = |file: &Path| json!({ "SecretName": "a", "VersionId": "v1", "SecretDataSource": { "File": file } });
    let refused = server.call("CreateSecret", create(&users.join("value")));
    assert_eq!(refused["Error"]["Code"], "InvalidArgument", "{refused}");
    let message = refused["Error"]["Message"].as_str().unwrap();
    assert!(message.contains("/roots") && !message.contains("/users"), "{message}");
    let created = server.call("CreateSecret", create(&roots.join("value")));
    assert_eq!(created["Outcome"], "created", "{created}");
}

/// What a user's file says more strictly than root's counts.
#[test]
fn the_user_can_tighten() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.write_settings("policy = 'default'\n");
    let home = namespace.home(USER);
    let options = ServerOptions::embedded().config("policy = 'metadata-only'\n");
    let mut server = Server::start_in(home.path(), namespace.options(USER, options));
    assert!(!tools(&mut server).contains(&"CreateSecret".into()));
}

#[test]
fn what_cannot_be_trusted_stops_the_server_and_every_command_that_decides() {
    let Some(namespace) = Namespace::new() else { return };
    let folder = namespace.anchors();
    let etc = folder.parent().unwrap().to_owned();
    let file = folder.join("config.toml");
    let home = namespace.home(USER);
    let start = || namespace.options(USER, ServerOptions::embedded());
    let put = |text: &str| {
        let _ = fs::remove_dir_all(&folder);
        let _ = fs::remove_file(&folder);
        namespace.write_settings(text);
    };
    let elsewhere = home.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("config.toml"), "").unwrap();
    let spoil: [(&str, &dyn Fn()); 14] = [
        ("the file is the user's", &|| give(&file, USER)),
        ("the group can write the file", &|| set_mode(&file, 0o664)),
        ("everybody can write the file", &|| set_mode(&file, 0o646)),
        ("the folder is the user's", &|| give(&folder, USER)),
        ("everybody can write the folder", &|| set_mode(&folder, 0o777)),
        ("everybody can write the folder, which is sticky", &|| set_mode(&folder, 0o1777)),
        ("the folder is the user's, and there is no file", &|| {
            fs::remove_file(&file).unwrap();
            give(&folder, USER);
        }),
        ("the file is a link", &|| {
            fs::rename(&file, folder.join("real.toml")).unwrap();
            symlink("real.toml", &file).unwrap();
        }),
        ("the file is a link to nothing", &|| {
            fs::remove_file(&file).unwrap();
            symlink("nothing", &file).unwrap();
        }),
        ("the folder is a link", &|| {
            fs::remove_dir_all(&folder).unwrap();
            symlink(&elsewhere, &folder).unwrap();
        }),
        ("the file cannot be read", &|| set_mode(&file, 0o600)),
        ("the folder cannot be entered", &|| set_mode(&folder, 0o700)),
        ("the file is a pipe", &|| {
            fs::remove_file(&file).unwrap();
            assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
        }),
        ("the file is a folder", &|| {
            fs::remove_file(&file).unwrap();
            fs::create_dir(&file).unwrap();
        }),
    ];
    for (about, spoil) in spoil {
        put("");
        spoil();
        let stderr = refused(home.path(), start());
        assert!(stderr.contains("/etc/kms-mcp"), "{about}: {stderr}");
        let explained = run(&namespace, home.path(), "policy explain --action ListSecrets", "");
        assert!(!explained.status.success(), "{about}: {}", said(&explained));
        let approved = run(&namespace, home.path(), "approve --pin-stdin AAAA-1", "x\n");
        assert!(said(&approved).contains("/etc/kms-mcp"), "{about}: {}", said(&approved));
    }
    put("");
    set_mode(&etc, 0o777);
    assert!(refused(home.path(), start()).contains("/etc"));
    set_mode(&etc, 0o755);
    for (text, says) in [
        ("policy = \n", "line 1"),
        ("unknown_key = 1\n", "unknown_key"),
        ("[limits]\npending = 21\n", "`limits.pending` must be 1 to 20"),
        ("policy = 'no-such-policy'\n", "no-such-policy"),
        // The home folder is what the agent chooses.
        ("[sources]\nfiles = ['~/values']\n", "sources.files"),
        ("[sources]\nfiles = ['~/values']\n", "which root's file cannot use"),
        ("[audit.checkpoints]\nfile = 'relative'\n", "audit.checkpoints"),
    ] {
        put(text);
        let stderr = refused(home.path(), start());
        assert!(stderr.contains(says), "{text}: {stderr}");
    }
    // A policy that root names is as good as the folder it lies in.
    let policy = home.path().join("policy.toml");
    fs::write(&policy, "version = 1\nextends = \"default\"\n").unwrap();
    put(&format!("policy = '{}'\n", policy.display()));
    let stderr = refused(home.path(), start());
    // The folder of temporary files stands above it: it is to stay as it is.
    assert!(stderr.contains("move it to a folder that only root can change"), "{stderr}");
    assert!(!stderr.contains("chmod") && !stderr.contains("chown"), "{stderr}");
    let policy = folder.join("policy.toml");
    put("policy = '/etc/kms-mcp/policy.toml'\n");
    fs::write(&policy, "version = 1\nextends = \"default\"\n").unwrap();
    drop(Server::start_in(home.path(), start()));
    give(&policy, USER);
    assert!(refused(home.path(), start()).contains("must be root's"));
    put("");
    let server = Server::start_in(home.path(), start());
    assert_eq!(start_record(&server)["anchored"], "settings");
    fs::remove_dir_all(&folder).unwrap();
    let home = namespace.home(USER);
    let server = Server::start_in(home.path(), start());
    assert_eq!(start_record(&server)["anchored"], "no");
}
