//! What is known of the payer: addresses, the network address, the device. For risk and receipts.

use std::net::IpAddr;

use payments::{Address, Payer};

use super::fields::{Fields, Schema};
use super::json::Node;
use super::text::TextRule;
use crate::problem::{Problem, catalogue as code};

pub(crate) const ADDRESS: Schema = Schema {
    fields: &["name", "phone", "line1", "line2", "city", "state", "postal_code", "country"],
    later: &[],
};

/// A line of an address.
pub(crate) const LINE: TextRule =
    TextRule { length_max: 200, may_be_empty: false, multiline: false, free: true };
/// A telephone number: fifteen digits (ITU-T E.164) and how people write them. Not searched for card
/// numbers: some telephone numbers look like one.
pub(crate) const PHONE: TextRule =
    TextRule { length_max: 32, may_be_empty: false, multiline: false, free: false };
/// A postal code, as the country writes it.
pub(crate) const POSTAL_CODE: TextRule =
    TextRule { length_max: 16, may_be_empty: false, multiline: false, free: true };
/// What a browser says of itself.
pub(crate) const USER_AGENT: TextRule =
    TextRule { length_max: 512, may_be_empty: false, multiline: false, free: true };

/// ISO 3166-1 alpha-2, all officially assigned codes, in order.
const COUNTRIES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE \
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM \
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC \
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO \
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Reads what a request says of the payer; nothing if it says nothing.
pub(crate) fn payer(fields: &Fields<'_, '_>) -> Result<Option<Box<Payer>>, Problem> {
    let owned = |name, rule| Ok(fields.text(name, rule)?.map(str::to_owned));
    let payer = Payer {
        ip_address: ip_address(fields)?,
        device_fingerprint: owned("device_fingerprint", &TextRule::TOKEN)?,
        user_agent: owned("user_agent", &USER_AGENT)?,
        terminal_id: owned("terminal_id", &TextRule::WORD)?,
        billing_address: address(fields, "billing_address", "/billing_address")?,
        shipping_address: address(fields, "shipping_address", "/shipping_address")?,
    };
    Ok(payer.known())
}

/// In its canonical text, so that two spellings of one address count as one.
fn ip_address(fields: &Fields<'_, '_>) -> Result<Option<String>, Problem> {
    let name = "ip_address";
    let Some(text) = fields.text(name, &TextRule::WORD)? else { return Ok(None) };
    let parsed: Result<IpAddr, _> = text.parse();
    parsed.map(|address| Some(address.to_canonical().to_string())).map_err(|_| {
        let detail = format!("`{name}` must be an IPv4 or IPv6 address, such as 203.0.113.7 or 2001:db8::7.");
        Problem::new(&code::INVALID_VALUE, detail).at(fields.pointer(name))
    })
}

/// An address that stands at `base`.
pub(crate) fn address(
    fields: &Fields<'_, '_>,
    name: &str,
    base: &'static str,
) -> Result<Option<Address>, Problem> {
    let Some(node) = fields.get(name) else { return Ok(None) };
    let Node::Object(_) = node else { return Err(fields.wrong_type(name, "an object", node)) };
    let fields = Fields::of(node, base, &ADDRESS)?;
    let owned = |name, rule| Ok(fields.text(name, rule)?.map(str::to_owned));
    let address = Address {
        name: owned("name", &TextRule::NAME)?,
        phone: owned("phone", &PHONE)?,
        line1: owned("line1", &LINE)?,
        line2: owned("line2", &LINE)?,
        city: owned("city", &LINE)?,
        state: owned("state", &LINE)?,
        postal_code: owned("postal_code", &POSTAL_CODE)?,
        country: country(&fields)?,
    };
    Ok(Some(address).filter(|address| *address != Address::default()))
}

fn country(fields: &Fields<'_, '_>) -> Result<Option<String>, Problem> {
    let Some(text) = fields.text("country", &TextRule::WORD)? else { return Ok(None) };
    if text.len() == 2 && COUNTRIES.split_ascii_whitespace().any(|known| known == text) {
        return Ok(Some(text.to_owned()));
    }
    let detail = "`country` must be an ISO 3166-1 code of two upper-case letters, such as US.";
    Err(Problem::new(&code::INVALID_VALUE, detail).at(fields.pointer("country")))
}
