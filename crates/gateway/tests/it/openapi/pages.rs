//! The pages for people: from the binary, with a policy of their own, and the error reference.

use axum::http::{Method, StatusCode};
use gateway::openapi::error_reference;
use gateway::problem::CATALOGUE;

use crate::world::World;

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[tokio::test]
async fn pages_load_nothing_from_elsewhere() {
    let world = World::start().await;
    for page in ["/", "/docs", "/redoc", "/docs/errors"] {
        let reply = world.bare(Method::GET, page, &[("accept", "text/html,*/*;q=0.8")], "").await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
        let text = reply.text();
        assert!(!text.contains("=\"http") && !text.contains("=\"//") && !text.contains("<script>"), "{page}");
        for name in text.split("/docs/assets/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let path = format!("/docs/assets/{name}");
            let asset = world.bare(Method::GET, &path, &[], "").await;
            assert_eq!(asset.status, StatusCode::OK, "{path}");
            let again = world.bare(Method::GET, &path, &[("if-none-match", asset.header("etag"))], "").await;
            assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
        }
    }
    let missing = world.bare(Method::GET, "/docs/assets/nothing.js", &[], "").await;
    assert_eq!(missing.problem(), (404, "route_not_found".to_owned()));
}

#[tokio::test]
async fn the_root_says_where_to_go() {
    let world = World::start().await;
    let page = world.bare(Method::GET, "/", &[("accept", "text/html")], "").await.text();
    let reply = world.bare(Method::GET, "/", &[("accept", "*/*")], "").await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "application/json"));
    let places = reply.json();
    for name in ["docs", "reference", "errors", "openapi", "health"] {
        let path = places[name].as_str().unwrap();
        assert!(page.contains(&format!("href=\"{path}\"")), "{path}");
        assert_eq!(world.bare(Method::GET, path, &[], "").await.status, StatusCode::OK, "{path}");
    }
}

#[test]
fn assets_are_what_was_taken() {
    let checked = std::process::Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/docs"))
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[tokio::test]
async fn every_code_is_explained_where_its_type_leads() {
    let world = World::start().await;
    let page = world.bare(Method::GET, "/docs/errors", &[], "").await.text();
    let markdown = error_reference();
    for entry in CATALOGUE {
        assert!(page.contains(&format!("<article id=\"{}\">", entry.code)), "{}", entry.code);
        assert!(markdown.contains(&format!("\n### {}\n", entry.code)), "{}", entry.code);
        let refused = entry.code == "missing_api_key";
        if refused {
            let reply = world.bare(Method::GET, "/api/v1/payments", &[], "").await;
            assert_eq!(reply.json()["type"], format!("/docs/errors#{}", entry.code));
        }
    }
}

#[test]
fn the_error_reference_is_the_catalogue() {
    let path = format!("{TOP}/docs/errors.md");
    if std::env::var_os("FLORIN_REGENERATE").is_some() {
        std::fs::write(&path, error_reference()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, error_reference(), "run `cargo xtask gen-docs`");
}
