//! Proofs that a leak does not compile: each file in `tests/compile_fail` says what one would
//! write, and beside it stands why the compiler refuses. They see the crate as a stranger does,
//! through `kms_mcp::proofs`.

#[test]
fn leaks_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
