//! A database file read into memory, with what its write-ahead log adds: how a store is read where SQLite cannot work
//! with the file in place (read-only folder, full disk: it wants to make an index file beside it).

use std::fs;
use std::io;

use camino::Utf8Path;
use rusqlite::Connection;

use super::error::StoreError;

/// Larger files are not read into memory.
const LIMIT: u64 = 2 << 30;

/// A private copy in memory of the database and its log. Nothing is written anywhere.
pub(super) fn load(path: &Utf8Path) -> Result<Connection, StoreError> {
    let size = fs::metadata(path).map_err(StoreError::io("read", path))?.len();
    if size > LIMIT {
        let source = io::Error::other("too large to be read on a full or read-only disk");
        return Err(StoreError::io("read", path)(source));
    }
    let mut bytes = fs::read(path).map_err(StoreError::io("read", path))?;
    let log = Utf8Path::new(&format!("{path}-wal")).to_owned();
    match fs::read(&log) {
        Ok(frames) => apply(&mut bytes, &frames),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::io("read", &log)(error)),
    }
    if bytes.len() < 100 {
        return Err(StoreError::Damaged { path: path.to_owned(), what: "it is cut short".to_owned() });
    }
    // "Reads with a write-ahead log" becomes "reads without": memory has none.
    bytes[18] = 1;
    bytes[19] = 1;
    let failed = |error| StoreError::sqlite(path, error);
    let mut conn = Connection::open_in_memory().map_err(failed)?;
    conn.deserialize_read_exact("main", bytes.as_slice(), bytes.len(), false).map_err(failed)?;
    Ok(conn)
}

/// Lays the committed pages of a write-ahead log over the database. What does not check out ends it, as in SQLite.
fn apply(database: &mut Vec<u8>, log: &[u8]) {
    let Some(header) = log.get(..32) else { return };
    let magic = word(header, 0);
    let page = word(header, 8) as usize;
    if magic & !1 != 0x377f_0682 || !page.is_power_of_two() || !(512..=65536).contains(&page) {
        return;
    }
    let big = magic & 1 == 1;
    let mut sum = checksum((0, 0), &header[..24], big);
    if sum != (word(header, 24), word(header, 28)) {
        return;
    }
    let mut waiting: Vec<(usize, &[u8])> = Vec::new();
    for frame in log[32..].chunks_exact(24 + page) {
        let (head, data) = frame.split_at(24);
        sum = checksum(checksum(sum, &head[..8], big), data, big);
        let number = word(head, 0) as usize;
        if number == 0 || head[8..16] != header[16..24] || sum != (word(head, 16), word(head, 20)) {
            return;
        }
        waiting.push((number, data));
        let pages = word(head, 4) as usize;
        if pages == 0 {
            continue;
        }
        // The end of a transaction: it says how many pages the database has then.
        database.resize(pages * page, 0);
        for (number, data) in waiting.drain(..).filter(|(number, _)| *number <= pages) {
            database[(number - 1) * page..number * page].copy_from_slice(data);
        }
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The running checksum of the log's format, over words in the order its header names.
fn checksum(from: (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    let read = |quad: &[u8]| {
        let quad = [quad[0], quad[1], quad[2], quad[3]];
        if big { u32::from_be_bytes(quad) } else { u32::from_le_bytes(quad) }
    };
    bytes.chunks_exact(8).fold(from, |(a, b), pair| {
        let a = a.wrapping_add(read(&pair[..4])).wrapping_add(b);
        (a, b.wrapping_add(read(&pair[4..])).wrapping_add(a))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_applied_and_a_broken_tail_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = camino::Utf8PathBuf::from_path_buf(folder.path().join("a.db")).expect("UTF-8");
        let conn = Connection::open(&path).expect("a database");
        conn.execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('one')")
            .expect("writes");
        let first = fs::metadata(format!("{path}-wal")).expect("a log").len();
        conn.execute("INSERT INTO t VALUES (?1)", [&"two".repeat(9000)]).expect("writes");
        let count = |path: &Utf8Path| -> i64 {
            let conn = load(path).expect("loads");
            conn.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("reads")
        };
        assert_eq!(count(&path), 2);

        let cut = path.with_file_name("cut.db");
        fs::copy(&path, &cut).expect("copies");
        let log = fs::read(format!("{path}-wal")).expect("reads");
        for length in [first as usize, first as usize + 100, log.len() - 1] {
            fs::write(format!("{cut}-wal"), &log[..length]).expect("writes");
            assert_eq!(count(&cut), 1, "log cut at {length}");
        }
        let mut flipped = log.clone();
        let last = flipped.len() - 10;
        flipped[last] ^= 1;
        fs::write(format!("{cut}-wal"), &flipped).expect("writes");
        assert_eq!(count(&cut), 1);
    }
}
