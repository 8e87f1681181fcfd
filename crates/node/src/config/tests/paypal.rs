//! The accounts at PayPal: which world an app is of, and what goes together.

use kernel::Mode;

use super::read;

const APP: &str = "[payment.paypal]\nclient_id = \"id_hidden\"\nclient_secret = \"secret_hidden\"\n";
const TEST: &str = "[payment.paypal.test]\nclient_id = \"x\"\nclient_secret = \"y\"\n";

fn refusal(text: &str) -> String {
    read(text, &[]).unwrap_err().to_string()
}

fn modes(text: &str, environment: &[(&str, &str)]) -> Vec<Mode> {
    read(text, environment).unwrap().providers.paypal.accounts().map(|(mode, _)| mode).collect()
}

#[test]
fn an_app_is_of_the_world_that_is_said() {
    assert_eq!(modes(APP, &[]), [Mode::Live]);
    assert_eq!(modes(&format!("{APP}environment = \"sandbox\""), &[]), [Mode::Test]);
    assert_eq!(modes(&format!("{APP}{TEST}"), &[]), [Mode::Live, Mode::Test]);
    let variables = [("PAYPAL_CLIENT_ID", "x"), ("PAYPAL_CLIENT_SECRET", "y")];
    assert_eq!(modes("", &variables), [Mode::Live]);
    assert_eq!(modes("[providers.paypal]\nenvironment = \"sandbox\"", &variables), [Mode::Test]);
    assert_eq!(modes("[payment.paypal]\nenabled = true", &[]), []);
    let unknown = refusal("[payment.paypal]\nenvironment = \"production\"");
    assert!(unknown.contains("`live` or `sandbox`"), "{unknown}");
}

#[test]
fn contradictions_are_refused() {
    let twice = refusal(&format!("{APP}environment = \"sandbox\"\n{TEST}"));
    assert!(twice.contains("both for the test world"), "{twice}");
    let plain = refusal(&format!("{APP}base_url = \"http://127.0.0.1:1\""));
    assert!(plain.contains("https://"), "{plain}");
    let sandbox = format!("{APP}environment = \"sandbox\"\nbase_url = \"http://127.0.0.1:1\"");
    assert_eq!(modes(&sandbox, &[]), [Mode::Test]);
}

#[test]
fn no_secret_is_shown_or_printed() {
    let config = read(APP, &[]).unwrap();
    let shown: Vec<String> = config.effective().into_iter().filter_map(|setting| setting.value).collect();
    assert!(!shown.join(" ").contains("hidden"), "{shown:?}");
    assert!(!format!("{config:?}").contains("hidden"));
}

#[test]
fn what_is_never_heard_is_told() {
    let config = read(APP, &[]).unwrap();
    assert!(config.warnings().iter().any(|line| line.contains("disputes")));
    for half in ["client_id", "client_secret", "webhook_id"] {
        let config = read(&format!("[payment.paypal]\n{half} = \"x\""), &[]).unwrap();
        assert!(config.warnings().iter().any(|line| line.contains("belong together")), "{half}");
    }
}
