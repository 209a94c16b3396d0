//! The runner of the conformance cases for `dnssec-prover`: reads one input a line, as JSON, and prints one verdict a line.
//! `conformance/README.md` describes both.
//!
//! It proves records, and of absence only what a wildcard's proof takes. It knows no time, but says when what it proves
//! holds; it believes in the root alone. An `AuthenticationChain` is handed over as it is. The records of a chain of
//! messages are handed over uncompressed, in the order of the responses; a message that our parser can't read has none.

use std::collections::BTreeSet;
use std::io::{BufRead as _, Write as _};

use data_encoding::BASE64;
use dnssec::{Chain, Period, Record, RecordType, Timestamp};
use dnssec_prover::rr::{Name, Record as _};
use dnssec_prover::ser::parse_rr_stream;
use dnssec_prover::validation::{set_root_hints, verify_rr_stream};
use serde_json::{Value, json};

use crate::Outcome;

/// The types that it reads: A, NS, CNAME, TXT, AAAA, DNAME, DS, RRSIG, NSEC, DNSKEY, NSEC3 and TLSA. A record of another
/// would make it refuse the whole.
const KNOWN: [u16; 12] = [1, 2, 5, 16, 28, 39, 43, 46, 47, 48, 50, 52];
/// It uses DNSKEYs (RFC 4034 §2), and does not hand them over.
const DNSKEY: u16 = 48;

pub(crate) fn run() -> Outcome<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let input: Value = serde_json::from_str(&line?)?;
        let verdict = match text(&input, "kind")? {
            "chain" => judge(&input, records_of_messages)?,
            "authentication-chain" => judge(&input, |list| Some(list.to_vec()))?,
            _ => json!({"verdict": "unsupported"}),
        };
        writeln!(output, "{verdict}")?;
        output.flush()?;
    }
    Ok(())
}

/// The verdict on a question to a chain, which `read` turns into a list of records. It returns `None` for what can't be
/// said in that form.
fn judge(input: &Value, read: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Outcome<Value> {
    let record_type: RecordType = text(input, "type")?.parse()?;
    let asked = text(input, "name")?;
    let asked = format!("{}.", asked.trim_end_matches('.'));
    let (from, until): (Timestamp, Timestamp) = (
        text(input, "from")?.parse()?,
        text(input, "until")?.parse()?,
    );
    let period = Period::new(from, until).ok_or("from is after until")?;
    let anchors = input["anchors"].as_array().ok_or("no anchors")?;
    let anchors: Vec<&str> = anchors.iter().filter_map(Value::as_str).collect();
    if !KNOWN.contains(&record_type.0)
        || record_type.0 == DNSKEY
        || !anchors.iter().all(|line| is_root_ds(line))
    {
        return Ok(json!({"verdict": "unsupported"}));
    }
    set_root_hints(&anchors.join("\n"));

    let chain = BASE64.decode(text(input, "chain")?.as_bytes())?;
    let Some(stream) = read(&chain) else {
        return Ok(json!({"verdict": "unsupported"}));
    };
    Ok(verify(&asked, record_type, period, &stream)
        .unwrap_or_else(|reason| json!({"verdict": "invalid", "reason": reason})))
}

/// The records of a SET OF OCTET STRING that it knows, in the order of the messages; `None` if ours can't read it.
fn records_of_messages(der: &[u8]) -> Option<Vec<u8>> {
    let chain = Chain::from_der(der).ok()?;
    let mut stream = Vec::new();
    for response in chain.responses() {
        let records = response.answers().iter().chain(response.others());
        for record in records.filter(|record| KNOWN.contains(&record.record_type().0)) {
            write(record, &mut stream);
        }
    }
    Some(stream)
}

/// True for a DS line of the root, of seven fields.
fn is_root_ds(line: &str) -> bool {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    matches!(fields[..], [".", "IN", "DS", _, _, _, _])
}

/// The verdict, or the reason of its refusal.
fn verify(
    asked: &str,
    record_type: RecordType,
    period: Period,
    stream: &[u8],
) -> Result<Value, String> {
    let name: Name = asked.try_into().map_err(|()| "no name for it")?;
    let records = parse_rr_stream(stream).map_err(|()| "unreadable")?;
    let verified = verify_rr_stream(&records).map_err(|error| format!("{error:?}"))?;
    let found = verified.resolve_name(&name);
    if !found.iter().any(|record| record.ty() == record_type.0) {
        return Err("nothing proven of that name and type".to_owned());
    }
    let second =
        |seconds: u64| Timestamp::from_unix_seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
    if second(verified.expires) < period.start() || second(verified.valid_from) > period.end() {
        return Err("proven for another time".to_owned());
    }
    // It writes names in lower case, which makes its records canonical (RFC 4034 §6.2).
    let records: BTreeSet<Vec<u8>> = found
        .iter()
        .filter(|record| record.ty() == record_type.0)
        .map(|record| crate::rdata_of(record))
        .collect();
    let records: Vec<String> = records.iter().map(|rdata| BASE64.encode(rdata)).collect();
    Ok(json!({"verdict": "proven", "records": records}))
}

/// Owner, type, class, TTL, length and data (RFC 1035 §3.2.1), uncompressed.
fn write(record: &Record<'_>, stream: &mut Vec<u8>) {
    let Some(rdata) = record.canonical_rdata() else {
        return;
    };
    let Ok(length) = u16::try_from(rdata.len()) else {
        return;
    };
    let owner = record.owner();
    stream.extend(owner.as_wire());
    stream.extend(record.record_type().0.to_be_bytes());
    stream.extend(record.class().to_be_bytes());
    stream.extend(record.ttl().to_be_bytes());
    stream.extend(length.to_be_bytes());
    stream.extend(rdata.iter());
}

fn text<'i>(input: &'i Value, field: &str) -> Outcome<&'i str> {
    let value = input[field].as_str();
    value.ok_or_else(|| format!("no text in {field}").into())
}
