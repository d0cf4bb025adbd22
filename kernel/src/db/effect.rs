//! What a step of the schema does to tables that are there: which it touches, and whether the release before still runs
//! on what it leaves. Reads the text of the step; knows the statements our steps consist of.

/// The effect of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// Existing tables whose rows it reads or writes, in order, each once.
    pub touches: Vec<String>,
    /// Statements after which the release before no longer runs, with the reason.
    pub breaks: Vec<String>,
}

/// The effect of the statements of a step.
pub fn effect(sql: &str) -> Effect {
    let mut effect = Effect::default();
    let mut own: Vec<String> = Vec::new();
    for statement in statements(sql) {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let upper: Vec<String> = words.iter().map(|w| w.to_uppercase()).collect();
        let at = |i: usize| upper.get(i).map_or("", String::as_str);
        let name = |i: usize| table(words.get(i).copied().unwrap_or_default());
        match (at(0), at(1)) {
            ("CREATE", "TABLE") => {
                let skip = if at(2) == "IF" { 5 } else { 2 };
                own.push(name(skip));
            }
            ("CREATE", "INDEX" | "UNIQUE") => {
                let on = upper.iter().position(|w| w == "ON").map_or_else(String::new, |i| name(i + 1));
                if at(1) == "UNIQUE" && !own.contains(&on) {
                    effect.breaks.push(format!(
                        "a new unique index may refuse rows of the release before: {}",
                        short(&statement)
                    ));
                }
                touch(&mut effect, &own, on);
            }
            ("ALTER", "TABLE") => {
                if !own.contains(&name(2)) && !adds_harmlessly(&upper) {
                    effect.breaks.push(short(&statement));
                }
                touch(&mut effect, &own, name(2));
            }
            ("INSERT", _) => touch(&mut effect, &own, name(2)),
            ("UPDATE", _) => touch(&mut effect, &own, name(1)),
            ("DELETE", _) => touch(&mut effect, &own, name(2)),
            ("SELECT", _) => {}
            _ if own.contains(&name(2)) => {}
            _ => effect.breaks.push(short(&statement)),
        }
    }
    effect
}

/// `ADD COLUMN` that old INSERT statements can leave out.
fn adds_harmlessly(upper: &[String]) -> bool {
    let has = |word: &str| upper.iter().any(|w| w.trim_end_matches(',') == word);
    upper.get(3).map(String::as_str) == Some("ADD")
        && !has("UNIQUE")
        && !has("PRIMARY")
        && (!upper.windows(2).any(|w| w[0] == "NOT" && w[1].starts_with("NULL")) || has("DEFAULT"))
}

fn touch(effect: &mut Effect, own: &[String], table: String) {
    if !own.contains(&table) && !effect.touches.contains(&table) {
        effect.touches.push(table);
    }
}

fn table(word: &str) -> String {
    word.split('(').next().unwrap_or_default().trim_matches(|c| c == '"' || c == ',').to_owned()
}

fn short(statement: &str) -> String {
    statement.split_whitespace().take(8).collect::<Vec<_>>().join(" ")
}

/// Statements without comments and quoted texts.
fn statements(sql: &str) -> Vec<String> {
    let mut plain = String::with_capacity(sql.len());
    for line in sql.lines() {
        let (mut quoted, mut kept) = (false, String::new());
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\'' => quoted = !quoted,
                '-' if !quoted && chars.peek() == Some(&'-') => break,
                _ if quoted => {}
                c => kept.push(c),
            }
        }
        plain.push_str(&kept);
        plain.push('\n');
    }
    plain.split(';').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_adds_breaks_nothing() {
        let found = effect(
            "-- it's new; DROP TABLE a\nCREATE TABLE b (id TEXT PRIMARY KEY, t TEXT DEFAULT ';') STRICT;
             CREATE UNIQUE INDEX b_t ON b (t);
             ALTER TABLE a ADD COLUMN n INTEGER;
             ALTER TABLE a ADD COLUMN m INTEGER NOT NULL DEFAULT 0;
             CREATE INDEX c_n ON c (n);
             UPDATE a SET n = 1; INSERT INTO b (id) SELECT id FROM a;",
        );
        assert_eq!(found, Effect { touches: vec!["a".into(), "c".into()], breaks: vec![] });
    }

    #[test]
    fn what_takes_away_or_tightens_breaks() {
        for sql in [
            "DROP TABLE a;",
            "ALTER TABLE a DROP COLUMN n;",
            "ALTER TABLE a RENAME TO b;",
            "ALTER TABLE a RENAME COLUMN n TO m;",
            "alter table a add column n INTEGER NOT NULL;",
            "ALTER TABLE a ALTER COLUMN n TYPE BIGINT;",
            "CREATE UNIQUE INDEX a_n ON a (n);",
            "DROP INDEX a_n;",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1;",
        ] {
            assert_eq!(effect(sql).breaks.len(), 1, "{sql}");
        }
        let own = "CREATE TABLE a_new (n INTEGER) STRICT; DROP TABLE a; ALTER TABLE a_new RENAME TO a;";
        assert_eq!(effect(own).breaks.len(), 1, "a table made anew is a table dropped");
    }
}
