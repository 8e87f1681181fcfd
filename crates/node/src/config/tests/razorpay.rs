//! The accounts at Razorpay: which world a key is of, and what goes together.

use kernel::Mode;

use super::read;

const LIVE: &str = "[payment.razorpay]\nkey_id = \"rzp_live_x\"\nkey_secret = \"secret_hidden\"\n";
const TEST: &str = "[payment.razorpay.test]\nkey_id = \"rzp_test_x\"\nkey_secret = \"y\"\n";

fn refusal(text: &str) -> String {
    read(text, &[]).unwrap_err().to_string()
}

fn modes(text: &str) -> Vec<Mode> {
    let config = read(text, &[]).unwrap();
    config.providers.razorpay.accounts().into_iter().map(|(mode, _)| mode).collect()
}

#[test]
fn a_key_says_its_world() {
    assert_eq!(modes(LIVE), [Mode::Live]);
    assert_eq!(modes(&LIVE.replace("live", "test")), [Mode::Test]);
    assert_eq!(modes(&format!("{LIVE}{TEST}")), [Mode::Live, Mode::Test]);
    assert_eq!(modes("[providers.razorpay]\nenabled = true"), []);
    let together = read("", &[("CARD_GATEWAY_API_KEY", "rzp_test_a:b:c")]).unwrap();
    let (mode, key) = together.providers.razorpay.accounts().pop().unwrap();
    assert_eq!((mode, key.key_id.as_deref()), (Mode::Test, Some("rzp_test_a")));
    assert_eq!(key.key_secret.unwrap().expose(), "b:c");
    let strange = refusal("[payment.razorpay]\nkey_id = \"sk_live_x\"");
    assert!(strange.contains("rzp_test_"), "{strange}");
}

#[test]
fn contradictions_are_refused() {
    let twice = refusal(&format!("{}{TEST}", LIVE.replace("live", "test")));
    assert!(twice.contains("both for the test world"), "{twice}");
    let live = refusal(&TEST.replace("rzp_test", "rzp_live"));
    assert!(live.contains("is a live key"), "{live}");
    let plain = refusal(&format!("{LIVE}base_url = \"http://127.0.0.1:1\""));
    assert!(plain.contains("https://"), "{plain}");
    let half = refusal(&format!("{LIVE}payer_email = \"a@shop.example\""));
    assert!(half.contains("belong together"), "{half}");
    let speed = refusal(&format!("{LIVE}refund_speed = \"instant\""));
    assert!(speed.contains("`normal` or `optimum`"), "{speed}");
}

#[test]
fn no_secret_is_shown_or_printed() {
    for config in [read(LIVE, &[]), read("", &[("CARD_GATEWAY_API_KEY", "rzp_test_x:secret_hidden")])] {
        let config = config.unwrap();
        let shown: Vec<String> = config.effective().into_iter().filter_map(|setting| setting.value).collect();
        assert!(!shown.join(" ").contains("hidden"), "{shown:?}");
        assert!(!format!("{config:?}").contains("hidden"));
    }
}

#[test]
fn what_is_never_heard_is_told() {
    let config = read(LIVE, &[]).unwrap();
    assert!(config.warnings().iter().any(|line| line.contains("disputes")));
    let config = read("[payment.razorpay]\nkey_id = \"rzp_test_x\"", &[]).unwrap();
    assert!(config.warnings().iter().any(|line| line.contains("belong together")));
}
