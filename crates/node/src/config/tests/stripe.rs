//! The accounts at Stripe: which world a key opens, and what goes together.

use kernel::Mode;

use super::read;

fn refusal(text: &str) -> String {
    read(text, &[]).unwrap_err().to_string()
}

#[test]
fn a_key_says_its_world() {
    for (key, mode) in [
        ("sk_test_1", Mode::Test),
        ("rk_test_1", Mode::Test),
        ("sk_live_1", Mode::Live),
        ("rk_live_1", Mode::Live),
    ] {
        let config = read(&format!("[payment.stripe]\nsecret_key = \"{key}\""), &[]).unwrap();
        let accounts: Vec<_> = config.providers.stripe.accounts().map(|(mode, _)| mode).collect();
        assert_eq!(accounts, [mode], "{key}");
    }
    let both = "[payment.stripe]\nsecret_key = \"sk_live_1\"\n[payment.stripe.test]\nsecret_key = \"env:K\"";
    let both = read(both, &[("K", "sk_test_2")]).unwrap();
    let modes: Vec<_> = both.providers.stripe.accounts().map(|(mode, _)| mode).collect();
    assert_eq!(modes, [Mode::Live, Mode::Test]);
}

#[test]
fn what_is_no_key_is_refused_and_never_quoted() {
    for key in ["pk_live_1", "whsec_1", "sk_live_", "hunter2"] {
        let said = refusal(&format!("[payment.stripe]\nsecret_key = \"{key}\""));
        let begins = "florin.toml:2: payment.stripe.secret_key";
        assert!(said.starts_with(begins) && said.contains("sk_test_…"), "{said}");
        assert!(!said.contains(&format!("\"{key}\"")), "{said}");
    }
    let account = refusal("[payment.stripe]\naccount_id = \"acct-1\"");
    assert!(account.contains("acct_…"), "{account}");
}

#[test]
fn contradictions_are_refused() {
    let live = "secret_key = \"sk_live_1\"\n";
    let plain = refusal(&format!("[payment.stripe]\n{live}base_url = \"http://127.0.0.1:1\""));
    assert!(plain.contains("https://"), "{plain}");
    let world = refusal(&format!("[payment.stripe.test]\n{live}"));
    assert!(world.contains("live key"), "{world}");
    let twice = "secret_key = \"sk_test_1\"\n";
    let twice = refusal(&format!("[payment.stripe]\n{twice}[payment.stripe.test]\n{twice}"));
    assert!(twice.contains("both for the test world"), "{twice}");
}

#[test]
fn no_secret_is_shown_or_printed() {
    let text = "[payment.stripe]\nsecret_key = \"sk_live_hidden\"\nwebhook_secret = \"whsec_hidden\"";
    let config = read(text, &[]).unwrap();
    let shown: Vec<String> = config.effective().into_iter().filter_map(|setting| setting.value).collect();
    assert!(!shown.join(" ").contains("hidden"), "{shown:?}");
    assert!(!format!("{config:?}").contains("hidden"));
}

#[test]
fn what_says_nothing_alone_is_told() {
    let config = read("[payment.stripe]\nwebhook_secret = \"whsec_1\"", &[]).unwrap();
    assert!(config.warnings().iter().any(|line| line.contains("without payment.stripe.secret_key")));
    let config = read("[payment.stripe]\nsecret_key = \"sk_test_1\"", &[]).unwrap();
    assert!(config.warnings().iter().any(|line| line.contains("disputes")));
}
