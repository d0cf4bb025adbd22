//! Damage: by chance, by a forger without the key, and by a node that signs what it should not.

use evidence::{Bundle, Field, Origin, Previous, Reason, Record, Refusal, verify};

use crate::log::{LOG, Log, Seeded};

/// A bundle with everything in it.
pub(crate) fn full() -> (Log, Vec<u8>) {
    let mut log = Log::new();
    log.fill_to(40);
    let indices = log.post(7);
    log.fill_to(60);
    let bytes = log.bundle(&indices, &Field::ALL).to_bytes();
    (log, bytes)
}

/// Bundles that hold, of every shape.
pub(crate) fn good() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for size in [6, 7, 64, 257, 600] {
        let mut log = Log::new();
        let get = log.get(1);
        let post = log.post(2);
        let sifted = log.sifted(3);
        log.fill_to(size);
        for (name, indices) in [
            ("closed", &[get][..]),
            ("opened", &post[..1]),
            ("both", &post),
            ("sifted", &sifted),
            ("origin", &[0]),
        ] {
            for fields in [&Field::ALL[..], &[Field::Path], &[]] {
                let name = format!("{name} of {size}, {} fields", fields.len());
                all.push((name, log.bundle(indices, fields).to_bytes()));
            }
        }
    }
    let mut old = Log::empty("old", 9);
    old.fill_to(3);
    let previous = Some(Previous { checkpoint: old.checkpoint(), log: old.verifying_key().to_string() });
    let mut log = Log::empty(LOG, 1);
    let reason = Reason::Shorter;
    log.append(&Record::Origin(Origin { origin: LOG.into(), reason, recorded: 0, previous }));
    all.push(("origin after another".into(), log.bundle(&[0], &[]).to_bytes()));
    all
}

/// Seeded damage to the bytes of a file. Some leave it as it was.
pub(crate) fn damaged(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Seeded(seed);
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(2) {
        let (a, b) = (random.below(out.len()), random.below(out.len()));
        let (low, high) = (a.min(b), a.max(b));
        let value = random.below(256) as u8;
        match random.below(9) {
            0 => out[a] = value,
            1 => out[a] = b"0123456789abcdef\"\\{}[],: "[usize::from(value) % 25],
            2 => drop(out.remove(a)),
            3 => out.insert(a, value),
            4 => out.swap(a, b),
            5 => out.truncate(high.max(1)),
            6 => out.drain(low..high.min(low + 200)).for_each(drop),
            7 => {
                let copied = out[low..high.min(low + 200)].to_vec();
                out.splice(high..high, copied);
            }
            _ => out[low..high.min(low + 64)].reverse(),
        }
        if out.is_empty() {
            return out;
        }
    }
    out
}

/// Records that a node should never have written, and some that it may write, in a log it has signed.
pub(crate) fn signed_by_a_bad_node() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let (log, _) = full();
    let closed = String::from_utf8(log.bundle(&[41], &[]).entries[0].leaf.clone()).unwrap();
    let opened = String::from_utf8(log.bundle(&[40], &[]).entries[0].leaf.clone()).unwrap();
    // Without the reference, the closed record may stand alone.
    let start = closed.find(r#""opened":"#).unwrap();
    let closed = format!("{}{}", &closed[..start], &closed[start + r#""opened":"","#.len() + 64..]);
    let origin = String::from_utf8(log.bundle(&[0], &[]).entries[0].leaf.clone()).unwrap();
    let long = "x".repeat(1025);
    let changes: &[(&str, &str)] = &[
        ("", ""),
        (r#""v":1"#, r#""v":2"#),
        (r#""v":1"#, r#""v":"1""#),
        (r#""v":1"#, r#""v":1,"x":1"#),
        (r#","v":1"#, ""),
        (r#""kind":"closed""#, r#""kind":"opened""#),
        (r#""kind":"opened""#, r#""kind":"closed""#),
        (r#""kind":"closed""#, r#""kind":"CLOSED""#),
        (r#""kind":"closed""#, r#""kind":1"#),
        (r#""method":"POST","#, ""),
        (r#""method":"POST""#, r#""method":"""#),
        (r#""method":"POST""#, r#""method":7"#),
        (r#""method":"POST""#, r#""method":"PO\nST""#),
        (r#""method":"POST""#, r#""method":"PO\u001fST""#),
        (r#""method":"POST""#, "\"method\":\"PO\u{7f}ST\""),
        (r#""method":"POST""#, "\"method\":\"PO\u{80}ST\""),
        (r#""method":"POST""#, r#""method":"Đúng 😀""#),
        (r#""method":"POST""#, r#""method":"\"\\""#),
        (r#""client":"VN/GOV"#, &format!(r#""client":"{long}"#)),
        (r#""snapshot":41"#, r#""snapshot":-1"#),
        (r#""snapshot":41"#, r#""snapshot":0"#),
        (r#""snapshot":41"#, r#""snapshot":41.0"#),
        (r#""snapshot":41"#, r#""snapshot":true"#),
        (r#""snapshot":41"#, r#""snapshot":null"#),
        (r#""snapshot":41"#, r#""snapshot":9007199254740991"#),
        (r#""snapshot":41"#, r#""snapshot":9007199254740992"#),
        (r#""version":3"#, r#""version":-3"#),
        (r#""version":3"#, r#""version":3,"w":0"#),
        (r#","version":3"#, ""),
        (r#""status":200"#, r#""status":99"#),
        (r#""status":200"#, r#""status":100"#),
        (r#""status":200"#, r#""status":999"#),
        (r#""status":200"#, r#""status":1000"#),
        (r#""response":{"size":1031,"status":200},"#, ""),
        (r#""outcome":"answered""#, r#""outcome":"lost""#),
        (r#""outcome":"answered""#, r#""outcome":["answered"]"#),
        (r#""outcome":"answered""#, r#""outcome":"stopped""#),
        (r#""body":"complete","size":218"#, r#""body":"none","size":0"#),
        (r#""body":"complete""#, r#""body":"partial""#),
        (r#""body":"complete""#, r#""body":"half""#),
        (r#""request":{"body":"complete","size":218}"#, r#""request":218"#),
        (r#""request_out":"#, r#""request_ou":"#),
        (r#""recorded":"#, r#""recorded":-"#),
        (r#""path":""#, r#""path":"0"#),
        (r#""path":""#, r#""patj":""#),
        (r#""query":"#, r#""query":0,"quest":"#),
        (r#""user_id":""#, r#""user_id":"","x":""#),
        (r#""commitments":{"#, r#""commitments":{"a":1,"#),
        (r#""issue""#, ""),
        (r#""reason":"first""#, r#""reason":"restored""#),
        (r#""reason":"first""#, r#""reason":"why""#),
        (r#""reason":"first""#, r#""reason":2"#),
        (r#""origin":"evidence"#, r#""origin":"Evidence"#),
        (r#""origin":"evidence"#, r#""origin":"e v"#),
        (r#""origin":"evidence"#, r#""origin":"đ"#),
        (r#""reason":"#, r#""previous":{},"reason":"#),
        (r#""reason":"#, r#""previous":{"checkpoint":"a","log":"b"},"reason":"#),
    ];
    for leaf in [&closed, &opened, &origin] {
        for (from, to) in changes.iter().filter(|(from, _)| leaf.contains(from)) {
            let changed = if from.is_empty() { leaf.clone() } else { leaf.replacen(from, to, 1) };
            let mut log = Log::empty(LOG, 1);
            if leaf != &origin {
                log.fill_to(5);
            }
            let index = log.append_raw(changed.into_bytes());
            log.fill_to(11);
            all.push((format!("{from} -> {to}"), log.bundle(&[index], &[]).to_bytes()));
        }
    }
    all
}

/// Edits of the file that keep it canonical, by somebody without the key.
pub(crate) fn edited() -> Vec<(String, Vec<u8>)> {
    let (log, bytes) = full();
    let text = String::from_utf8(bytes).unwrap();
    let mut other = Log::empty(LOG, 8);
    other.fill_to(60);
    let (other_key, own_key) = (other.verifying_key().to_string(), log.verifying_key().to_string());
    let witness = other.checkpoint().lines().last().unwrap().to_owned();
    let checkpoint_end = text.find("\",\"disclosures\"").unwrap();
    let mut all: Vec<(String, Vec<u8>)> = [
        (r#""format":"lienthong-evidence/1""#, r#""format":"lienthong-evidence/2""#),
        (r#""format":"lienthong-evidence/1","#, ""),
        (r#""format":"#, r#""extra":1,"format":"#),
        (r#""log":"#, r#""lo":"#),
        (&own_key, &other_key),
        (r#""entry":0"#, r#""entry":1"#),
        (r#""entry":0"#, r#""entry":2"#),
        (r#""entry":0"#, r#""entry":-1"#),
        (r#""entry":0"#, r#""entry":"0""#),
        (r#""index":40"#, r#""index":41"#),
        (r#""index":40"#, r#""index":39"#),
        (r#""index":40"#, r#""index":9007199254740991"#),
        (r#""index":40"#, r#""index":40,"j":1"#),
        (r#""proof":["#, r#""proof":[1,"#),
        (r#""field":"path""#, r#""field":"pat""#),
        (r#""value":"/v1"#, r#""value":"/v2"#),
        (r#""value":"/v1"#, r#""valuf":"/v1"#),
        (r#"\n60\n"#, r#"\n61\n"#),
        (r#"\n60\n"#, r#"\n060\n"#),
    ]
    .iter()
    .map(|(from, to)| {
        assert!(text.contains(from), "{from}");
        (format!("{from} -> {to}"), text.replacen(from, to, 1).into_bytes())
    })
    .collect();
    let mut more = text.clone();
    more.insert_str(checkpoint_end, &format!("{witness}\\n"));
    all.push(("a second signature".into(), more.into_bytes()));
    all.push(("a final line feed".into(), format!("{text}\n").into_bytes()));
    all.push(("a byte order mark".into(), format!("\u{feff}{text}").into_bytes()));
    all.push(("a blank".into(), text.replacen("\":", "\": ", 1).into_bytes()));
    all.push(("UTF-16".into(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
    all.push(("nothing".into(), vec![]));
    all.push(("too deep".into(), vec![b'['; 5000]));
    all.push(("too long".into(), vec![b'1'; (1 << 20) + 1]));
    all.extend(spliced());
    all
}

/// Parts of two good bundles of one log, put together.
fn spliced() -> Vec<(String, Vec<u8>)> {
    let mut log = Log::new();
    let (a, b) = (log.post(1), log.post(2));
    let early = log.bundle(&a, &[Field::Path]);
    log.fill_to(33);
    let (late, other) = (log.bundle(&a, &[Field::Query]), log.bundle(&b, &[Field::Path]));
    let mut all = Vec::new();
    let mut put = |name: &str, bundle: Bundle| all.push((format!("splice: {name}"), bundle.to_bytes()));
    put("checkpoint of a later size", Bundle { checkpoint: late.checkpoint.clone(), ..early.clone() });
    put("records of an earlier size", Bundle { entries: early.entries.clone(), ..late.clone() });
    put("values of another call", Bundle { disclosures: other.disclosures.clone(), ..late.clone() });
    let mixed = vec![late.entries[0].clone(), other.entries[1].clone()];
    put("end of another call", Bundle { entries: mixed, disclosures: vec![], ..late.clone() });
    let mut swapped = late.clone();
    swapped.entries.swap(0, 1);
    put("records exchanged", swapped);
    let mut proofs = late.clone();
    proofs.entries[0].proof.swap(0, 1);
    put("hashes of a proof exchanged", proofs);
    let mut leaf = late.clone();
    leaf.entries[1].leaf = other.entries[1].leaf.clone();
    put("another record under the same proof", leaf);
    let mut short = late.clone();
    short.entries[0].proof.pop();
    put("a shorter proof", short);
    let mut long = late.clone();
    long.entries[0].proof.resize(65, tlog::Hash([0; 32]));
    put("a far too long proof", long);
    all
}

#[test]
fn every_flipped_bit_is_refused() {
    let (log, bytes) = full();
    assert!(bytes.len() > 3000);
    verify(&bytes, Some(log.verifying_key())).unwrap();
    let mut flipped = bytes;
    for bit in 0..flipped.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        // Without a trusted key, which is the harder case: nothing but the bundle itself stands against it.
        assert!(verify(&flipped, None).is_err(), "bit {bit}");
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn a_flipped_bit_in_any_byte_of_the_other_shapes_is_refused() {
    for (name, bytes) in
        good().into_iter().filter(|(name, _)| name.contains("of 7,") || name.contains("after"))
    {
        let mut flipped = bytes;
        for byte in 0..flipped.len() {
            let bit = 1 << (byte * 3 % 8);
            flipped[byte] ^= bit;
            assert!(verify(&flipped, None).is_err(), "{name}: byte {byte}");
            flipped[byte] ^= bit;
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    let (_, bytes) = full();
    for length in 0..bytes.len() {
        assert!(verify(&bytes[..length], None).is_err(), "{length} bytes");
    }
}

#[test]
fn seeded_damage_is_refused() {
    let (_, bytes) = full();
    for seed in 0..4000 {
        let changed = damaged(&bytes, seed);
        assert!(changed == bytes || verify(&changed, None).is_err(), "seed {seed}");
    }
}

#[test]
fn edits_and_splices_are_refused() {
    for (name, bytes) in edited() {
        assert!(verify(&bytes, None).is_err(), "{name}");
    }
}

#[test]
fn doubled_names_are_refused() {
    let (_, bytes) = full();
    let text = String::from_utf8(bytes).unwrap();
    let doubled = text.replacen(r#""format":"#, r#""format":"lienthong-evidence/1","format":"#, 1);
    assert!(matches!(verify(doubled.as_bytes(), None), Err(Refusal::Json(_))));
}
