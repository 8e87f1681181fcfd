//! `GET /test/clock`

use crate::call::Call;
use crate::input::Parameters;
use crate::problem::from_payments;
use crate::reply::Answer;

pub(crate) async fn read(call: Call) -> Answer {
    Parameters::parse(call.query(), &[], &[])?;
    call.check_test_mode()?;
    super::answer(&call.node.payments.test_clock(call.scope()).await.map_err(from_payments)?)
}
