//! What time does by itself: secrets past their deletion time go, due rotations happen.
//!
//! Done before each request rather than by a timer, so that it follows the emulator's clock.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::db::Db;
use super::error::Refusal;
use super::random;
use super::rotation;
use super::seal::Seal;
use super::secrets::Secret;

pub(crate) fn run(db: &Db, seal: &Seal, now: Timestamp) -> Result<(), Refusal> {
    if db.read(|tx| due(tx, now.as_millisecond()))? {
        db.write(|tx| {
            tx.execute("DELETE FROM secret WHERE planned_delete <= ?", [now.as_millisecond()])?;
            for mut secret in Secret::due(tx, now.as_millisecond())? {
                rotation::rotate(tx, seal, &mut secret, &random::uuid()?, now)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn due(tx: &Transaction<'_>, now: i64) -> Result<bool, Refusal> {
    Ok(tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM secret WHERE planned_delete <= ?1)
             OR EXISTS (SELECT 1 FROM secret WHERE next_rotation <= ?1 AND planned_delete IS NULL)",
        [now],
        |row| row.get(0),
    )?)
}
