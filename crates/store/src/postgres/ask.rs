//! Finding out what became of a batch whose answer was lost.

use std::time::Duration;

use kernel::Timestamp;
use tokio_postgres::{Client, Error};
use tracing::warn;
use uuid::Uuid;

use super::committer::Committer;
use super::connect::Use;
use super::functions::NOW;

/// Between two questions.
const ASK_AGAIN: Duration = Duration::from_millis(50);

impl Committer {
    /// `Some(Some(at))`: it committed. `Some(None)`: it never will. `None`: the store closes first.
    ///
    /// Asks by inserting the batch's id as void: that succeeds only if the batch can never commit any
    /// more, and meets a duplicate if it did; while the batch's backend still works, the insert waits
    /// for it. Reading would prove nothing: the row may come a moment later.
    pub(super) async fn find_out(&mut self, id: Uuid) -> Option<Option<Timestamp>> {
        self.session = None;
        let mut asked: u32 = 0;
        loop {
            asked += 1;
            match self.shared.connector.connect(Use::Read).await {
                Ok(client) => match ask(&client, id).await {
                    Ok(Some(known)) => {
                        warn!(batch = %id, committed = known.is_some(), asked, "a lost answer was found");
                        return Some(known);
                    }
                    Ok(None) => {}
                    Err(error) => warn!(batch = %id, error = super::text(&error), "asking failed"),
                },
                Err(error) => warn!(batch = %id, error = super::text(&error), "asking failed"),
            }
            if self.intake.is_closing() && asked > 20 {
                return None;
            }
            self.shared.options.clock.sleep(ASK_AGAIN).await;
        }
    }
}

/// One question: `None` if the batch is still on its way.
async fn ask(client: &Client, id: Uuid) -> Result<Option<Option<Timestamp>>, Error> {
    client.batch_execute("SET lock_timeout = '1s'").await?;
    let void = format!("INSERT INTO batch (id, void, recorded_at) VALUES ($1, true, {NOW})");
    match client.execute(&void, &[&id]).await {
        Ok(_) => return Ok(Some(None)),
        Err(error) => match error.code().map(tokio_postgres::error::SqlState::code) {
            Some("23505") => {}
            Some("55P03" | "40P01" | "40001") => return Ok(None),
            _ => return Err(error),
        },
    }
    // A row is there, and committed. It may be our own void, whose answer was lost as well.
    let row = client.query_one("SELECT void, recorded_at FROM batch WHERE id = $1", &[&id]).await?;
    let (void, at): (bool, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Some((!void).then_some(Timestamp::from_micros(at))))
}
