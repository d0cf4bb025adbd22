//! Keys, notes and checkpoints.

use proptest::prelude::*;
use tlog::{
    Checkpoint, CheckpointError, Hash, KeyError, Note, NoteError, OpenError, Signer, SigningKey, VerifyingKey,
};

/// A note made for this test with another Ed25519 implementation from the seed 00 01 … 1f.
const KEY: &str = "lienthong.example/node-1+3233d414+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const NOTE: &str = "lienthong.example/node-1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n\
    \u{2014} lienthong.example/node-1 MjPUFHbHwIKtJO6KY+tytA59Fivuexi6oPrdWr8tUj2jMEOsfpl1BO8COJkxq42ZEt2qfBQCkj59qtY9INBwGgUxGAo=\n";

fn signer() -> SigningKey {
    SigningKey::from_seed("lienthong.example/node-1", &std::array::from_fn(|i| i as u8)).unwrap()
}

fn checkpoint() -> Checkpoint {
    let root = hex::decode("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328").unwrap();
    let (origin, root) = ("lienthong.example/node-1".to_owned(), Hash::from_slice(&root).unwrap());
    Checkpoint { origin, size: 8, root, extensions: vec![] }
}

#[test]
fn key_texts_of_other_implementations() {
    // The public key of a well-known checksum database, and the example pair of the signed-note package.
    for text in [
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        KEY,
    ] {
        assert_eq!(VerifyingKey::parse(text).unwrap().to_string(), text);
    }
    let secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let key = SigningKey::parse(secret).unwrap();
    assert_eq!(
        key.verifying_key().to_string(),
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    );
    assert_eq!(*key.secret_text(), secret);
    assert_eq!(format!("{key:?}"), "SigningKey(PeterNeumann)");
}

#[test]
fn malformed_keys() {
    for (text, error) in [
        ("", KeyError::Form),
        ("a+00000000", KeyError::Form),
        ("+3233d414+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", KeyError::Name),
        ("a b+3233d414+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", KeyError::Name),
        ("a\u{a0}b+3233d414+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", KeyError::Name),
        (
            "lienthong.example/node-1+3233D414+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
            KeyError::Identifier,
        ),
        (
            "lienthong.example/node-2+3233d414+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
            KeyError::Identifier,
        ),
        ("a+3233d414+AgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", KeyError::Algorithm),
        ("a+3233d414+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVQ==", KeyError::Algorithm),
        ("a+3233d414+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG", KeyError::Form),
        ("a+3233d414+", KeyError::Algorithm),
    ] {
        assert_eq!(VerifyingKey::parse(text).err(), Some(error), "{text}");
    }
    assert_eq!(SigningKey::parse(KEY).err(), Some(KeyError::Form));
}

#[test]
fn a_note_of_another_implementation() {
    let key = VerifyingKey::parse(KEY).unwrap();
    assert_eq!(Checkpoint::open(NOTE, &key), Ok(checkpoint()));
    assert_eq!(checkpoint().sign(&signer()).unwrap().to_string(), NOTE);
    assert_eq!(Note::parse(NOTE).unwrap().to_string(), NOTE);
}

#[test]
fn malformed_notes() {
    let signature = NOTE.lines().last().unwrap();
    for (note, error) in [
        ("", NoteError::Incomplete),
        ("text\n", NoteError::Incomplete),
        ("text\n\n", NoteError::Incomplete),
        (&format!("text\n{signature}\n"), NoteError::Incomplete),
        (&format!("\n\n{signature}\n"), NoteError::Incomplete),
        (&format!("text\n\n{signature}"), NoteError::Incomplete),
        (&format!("text\r\n\n{signature}\n"), NoteError::Control),
        (&format!("te\txt\n\n{signature}\n"), NoteError::Control),
        (&format!("text\n\n{signature}\n\n"), NoteError::Incomplete),
        (&format!("text\n\n{signature}\nmore\n"), NoteError::SignatureLine),
        (&format!("text\n\n{}\n", signature.replace('\u{2014}', "-")), NoteError::SignatureLine),
        (&format!("text\n\n{}\n", &signature[..signature.len() - 1]), NoteError::SignatureLine),
        (&format!("text\n\n{signature}=\n"), NoteError::SignatureLine),
        ("text\n\n\u{2014} name MjPUFA==\n", NoteError::SignatureLine),
        ("text\n\n\u{2014} na+me MjPUFHbH\n", NoteError::SignatureLine),
        ("text\n\n\u{2014}  MjPUFHbH\n", NoteError::SignatureLine),
        (&format!("text\n\n{}", format!("{signature}\n").repeat(101)), NoteError::TooLong),
        (&format!("{}\n\n{signature}\n", "x".repeat(1 << 20)), NoteError::TooLong),
    ] {
        assert_eq!(Note::parse(note).err(), Some(error), "{note:.60}");
    }
}

#[test]
fn base64_is_taken_in_one_spelling_only() {
    // The last digit before "=" carries four bits that must be zero; "p" would decode to the same bytes.
    let other = NOTE.replace("GAo=", "GAp=");
    assert_ne!(other, NOTE);
    assert_eq!(Note::parse(&other), Err(NoteError::SignatureLine));
    let other = NOTE.replace("RgQyg=\n", "RgQyh=\n");
    assert_eq!(Checkpoint::parse(Note::parse(&other).unwrap().text()), Err(CheckpointError::Root));
}

#[test]
fn a_forged_line_of_the_same_key_counts_as_no() {
    let key = VerifyingKey::parse(KEY).unwrap();
    let forged = NOTE.lines().last().unwrap().replace("MjPUFH", "MjPUFI");
    let stranger = SigningKey::from_seed("witness", &[9; 32]).unwrap();
    let text = checkpoint().to_string();
    let witness = Note::sign(&text, &stranger).unwrap().to_string().lines().last().unwrap().to_owned();
    assert!(Note::parse(&format!("{NOTE}{witness}\n")).unwrap().is_signed_by(&key));
    assert!(!Note::parse(&format!("{NOTE}{forged}\n")).unwrap().is_signed_by(&key));
    assert!(!Note::parse(&format!("{text}\n{witness}\n")).unwrap().is_signed_by(&key));
}

#[test]
fn malformed_checkpoints() {
    let root = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=";
    for (text, error) in [
        ("", CheckpointError::Incomplete),
        ("a\n8\n", CheckpointError::Incomplete),
        (&format!("a\n8\n{root}"), CheckpointError::Incomplete),
        (&format!("\n8\n{root}\n"), CheckpointError::Origin),
        (&format!("a\n08\n{root}\n"), CheckpointError::Size),
        (&format!("a\n+8\n{root}\n"), CheckpointError::Size),
        (&format!("a\n\n{root}\n"), CheckpointError::Size),
        (&format!("a\n18446744073709551616\n{root}\n"), CheckpointError::Size),
        ("a\n8\nAAAA\n", CheckpointError::Root),
        (&format!("a\n8\n{root}\n\n"), CheckpointError::Extension),
    ] {
        assert_eq!(Checkpoint::parse(text).err(), Some(error), "{text}");
    }
    let with_extensions = format!("a\n0\n{root}\none\ntwo\n");
    assert_eq!(Checkpoint::parse(&with_extensions).unwrap().to_string(), with_extensions);
    // A line break inside a field would become another field.
    let split = Checkpoint { extensions: vec!["\n".into()], ..checkpoint() };
    assert!(split.sign(&signer()).is_err());
}

#[test]
fn a_checkpoint_counts_only_under_its_own_name_and_key() {
    let key = VerifyingKey::parse(KEY).unwrap();
    let other = SigningKey::from_seed("lienthong.example/node-1", &[1; 32]).unwrap();
    assert_eq!(Checkpoint::open(NOTE, other.verifying_key()), Err(OpenError::Signature));
    let foreign = Checkpoint { origin: "elsewhere".into(), ..checkpoint() }.sign(&signer()).unwrap();
    assert_eq!(Checkpoint::open(&foreign.to_string(), &key), Err(OpenError::Origin));
}

#[test]
fn every_flipped_bit_of_a_note_is_noticed() {
    let key = VerifyingKey::parse(KEY).unwrap();
    for bit in 0..NOTE.len() * 8 {
        let mut bytes = NOTE.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let opened = String::from_utf8(bytes).map(|note| Checkpoint::open(&note, &key));
        assert!(!matches!(opened, Ok(Ok(_))), "bit {bit}");
    }
}

proptest! {
    #[test]
    fn whatever_parses_prints_the_same(text in "[ -~\u{2014}\n]{0,200}") {
        if let Ok(note) = Note::parse(&text) {
            prop_assert_eq!(note.to_string(), text.clone());
        }
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            prop_assert_eq!(checkpoint.to_string(), text.clone());
        }
        if let Ok(key) = VerifyingKey::parse(&text) {
            prop_assert_eq!(key.to_string(), text);
        }
    }
}
