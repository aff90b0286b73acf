//! As much of CEL as the rules of our definitions use, so that a fuzz target judges objects as the API server does. What it
//! does not know, such as `isURL`, is `None`: the rule is then not judged.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex::Regex;
use serde_json::Value as Json;

/// A value of an expression.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Json(Json),
    /// In seconds.
    Duration(i64),
}

/// What a rule says.
#[derive(Debug)]
enum Node {
    Value(Value),
    List(Vec<Node>),
    Name(String),
    Member(Box<Node>, String),
    Item(Box<Node>, Box<Node>),
    Call(Option<Box<Node>>, String, Vec<Node>),
    Not(Box<Node>),
    Binary(&'static str, Box<Node>, Box<Node>),
    Choice(Box<[Node; 3]>),
}

/// Whether a rule holds of `self`; `None` if it is not known.
pub fn holds(rule: &str, this: &Json) -> Option<bool> {
    thread_local! {
        static PARSED: RefCell<HashMap<String, Rc<Option<Node>>>> = RefCell::default();
    }
    let node = PARSED.with_borrow_mut(|parsed| {
        let known = parsed.entry(rule.to_owned());
        known.or_insert_with(|| Rc::new(parse(rule))).clone()
    });
    let names = [("self".to_owned(), Value::Json(this.clone()))].into();
    truth(node.as_ref().as_ref()?.evaluate(&names)?)
}

type Names = HashMap<String, Value>;

impl Node {
    fn evaluate(&self, names: &Names) -> Option<Value> {
        let boolean = |value: bool| Some(Value::Json(value.into()));
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::List(items) => {
                let items = items.iter().map(|item| json(item.evaluate(names)?));
                Some(Value::Json(items.collect::<Option<Vec<_>>>()?.into()))
            }
            Self::Name(name) => names.get(name).cloned(),
            Self::Member(of, name) => {
                Some(Value::Json(json(of.evaluate(names)?)?.get(name)?.clone()))
            }
            Self::Item(of, key) => {
                let (of, key) = (json(of.evaluate(names)?)?, json(key.evaluate(names)?)?);
                Some(Value::Json(of.get(key.as_str()?)?.clone()))
            }
            Self::Call(of, name, arguments) => call(of.as_deref(), name, arguments, names),
            Self::Not(node) => boolean(!truth(node.evaluate(names)?)?),
            Self::Binary(operator, left, right) => {
                let left = left.evaluate(names);
                match *operator {
                    // An error on one side does not matter if the other side decides.
                    "||" | "&&" => {
                        let decides = *operator == "||";
                        let left = left.and_then(truth);
                        if left == Some(decides) {
                            return boolean(decides);
                        }
                        let right = right.evaluate(names).and_then(truth);
                        if right == Some(decides) {
                            return boolean(decides);
                        }
                        left.and(right).and_then(boolean)
                    }
                    operator => boolean(compare(operator, &left?, &right.evaluate(names)?)?),
                }
            }
            Self::Choice(parts) => {
                let [condition, yes, no] = &**parts;
                let chosen = if truth(condition.evaluate(names)?)? {
                    yes
                } else {
                    no
                };
                chosen.evaluate(names)
            }
        }
    }
}

fn truth(value: Value) -> Option<bool> {
    json(value)?.as_bool()
}

fn json(value: Value) -> Option<Json> {
    match value {
        Value::Json(json) => Some(json),
        Value::Duration(_) => None,
    }
}

fn compare(operator: &str, left: &Value, right: &Value) -> Option<bool> {
    let ordering = match (left, right) {
        (Value::Duration(left), Value::Duration(right)) => left.cmp(right),
        (Value::Json(Json::Number(left)), Value::Json(Json::Number(right))) => {
            left.as_i64()?.cmp(&right.as_i64()?)
        }
        (Value::Json(left), Value::Json(Json::Array(items))) if operator == "in" => {
            return Some(items.contains(left));
        }
        _ if operator == "==" => return Some(left == right),
        _ if operator == "!=" => return Some(left != right),
        _ => return None,
    };
    match operator {
        "==" => Some(ordering.is_eq()),
        "!=" => Some(ordering.is_ne()),
        "<" => Some(ordering.is_lt()),
        "<=" => Some(ordering.is_le()),
        ">" => Some(ordering.is_gt()),
        ">=" => Some(ordering.is_ge()),
        _ => None,
    }
}

fn call(of: Option<&Node>, name: &str, arguments: &[Node], names: &Names) -> Option<Value> {
    let boolean = |value: bool| Some(Value::Json(value.into()));
    if let ("has", [Node::Member(of, member)]) = (name, arguments) {
        return boolean(json(of.evaluate(names)?)?.get(member).is_some());
    }
    if let ("all" | "exists_one", [Node::Name(item), rule]) = (name, arguments) {
        let items = match json(of?.evaluate(names)?)? {
            Json::Array(items) => items,
            Json::Object(members) => members.into_iter().map(|(key, _)| key.into()).collect(),
            _ => return None,
        };
        let each = items.into_iter().map(|value| {
            let mut names = names.clone();
            names.insert(item.clone(), Value::Json(value));
            truth(rule.evaluate(&names)?)
        });
        let each = each.collect::<Option<Vec<bool>>>()?;
        let count = each.iter().filter(|holds| **holds).count();
        return boolean(if name == "all" {
            count == each.len()
        } else {
            count == 1
        });
    }
    let subject = match of {
        Some(of) => of.evaluate(names)?,
        None => arguments.first()?.evaluate(names)?,
    };
    let subject = json(subject)?;
    let text = subject.as_str();
    let argument = || json(arguments.first()?.evaluate(names)?);
    match (name, of.is_some()) {
        ("size", _) => {
            let size = match &subject {
                Json::String(text) => text.chars().count(),
                Json::Array(items) => items.len(),
                Json::Object(members) => members.len(),
                _ => return None,
            };
            Some(Value::Json(size.into()))
        }
        ("duration", false) => duration(text?),
        ("matches", true) => boolean(matches(argument()?.as_str()?, text?)?),
        ("startsWith", true) => boolean(text?.starts_with(argument()?.as_str()?)),
        ("lowerAscii", true) => Some(Value::Json(text?.to_ascii_lowercase().into())),
        ("upperAscii", true) => Some(Value::Json(text?.to_ascii_uppercase().into())),
        _ => None,
    }
}

fn duration(text: &str) -> Option<Value> {
    let mut seconds = 0;
    for part in text.split_inclusive(['h', 'm', 's']) {
        let (number, unit) = part.split_at(part.len().checked_sub(1)?);
        let unit = [("h", 3600), ("m", 60), ("s", 1)]
            .into_iter()
            .find(|(name, _)| *name == unit)?;
        seconds += number.parse::<i64>().ok()?.checked_mul(unit.1)?;
    }
    Some(Value::Duration(seconds))
}

/// As RE2 does. Rust takes a bracket within a class for a class of its own.
fn matches(pattern: &str, text: &str) -> Option<bool> {
    thread_local! {
        static COMPILED: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        let known = compiled.entry(pattern.to_owned());
        let regex = known.or_insert_with(|| {
            Regex::new(&pattern.replace("[[]", r"\[").replace("[]]", r"\]")).ok()
        });
        regex.as_ref().map(|regex| regex.is_match(text))
    })
}

/// Reads a rule; `None` for what is not known here.
fn parse(rule: &str) -> Option<Node> {
    let mut parser = Parser {
        tokens: tokens(rule)?,
        at: 0,
    };
    let node = parser.expression()?;
    (parser.at == parser.tokens.len()).then_some(node)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Text(String),
    Number(i64),
    Name(String),
    Sign(&'static str),
}

const SIGNS: [&str; 19] = [
    "||", "&&", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", "(", ")", "[", "]", ",", ".", "+",
    "-",
];

fn tokens(rule: &str) -> Option<Vec<Token>> {
    let (mut tokens, mut rest) = (Vec::new(), rest_of(rule));
    while let Some(first) = rest.chars().next() {
        if first == '\'' || first == '"' {
            let (text, after) = text_literal(&rest[1..], first)?;
            tokens.push(Token::Text(text));
            rest = rest_of(after);
            continue;
        }
        let length = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if length > 0 {
            let word = &rest[..length];
            tokens.push(
                word.parse()
                    .map_or_else(|_| Token::Name(word.to_owned()), Token::Number),
            );
            rest = rest_of(&rest[length..]);
            continue;
        }
        let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
        tokens.push(Token::Sign(sign));
        rest = rest_of(&rest[sign.len()..]);
    }
    Some(tokens)
}

fn rest_of(text: &str) -> &str {
    text.trim_start()
}

/// The text of a literal after its opening quote, and what follows it.
fn text_literal(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => match characters.next()?.1 {
                escaped @ ('\\' | '\'' | '"') => value.push(escaped),
                'n' => value.push('\n'),
                _ => return None,
            },
            c if c == quote => return Some((value, &text[at + 1..])),
            c => value.push(c),
        }
    }
    None
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn takes(&mut self, token: &Token) -> bool {
        let found = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &'static str) -> bool {
        self.takes(&Token::Sign(sign))
    }

    fn expression(&mut self) -> Option<Node> {
        let condition = self.operators(&["||"])?;
        if !self.sign("?") {
            return Some(condition);
        }
        let yes = self.expression()?;
        let no = self.sign(":").then(|| self.expression())??;
        Some(Node::Choice(Box::new([condition, yes, no])))
    }

    /// `||`, then `&&`, then comparisons.
    fn operators(&mut self, level: &[&'static str]) -> Option<Node> {
        let next = |parser: &mut Self| match level[0] {
            "||" => parser.operators(&["&&"]),
            "&&" => parser.operators(&["==", "!=", "<=", ">=", "<", ">"]),
            _ => parser.unary(),
        };
        let mut left = next(self)?;
        loop {
            let of_level = level.iter().copied().find(|&sign| self.sign(sign));
            let is_in =
                level.len() > 2 && of_level.is_none() && self.takes(&Token::Name("in".to_owned()));
            let Some(operator) = of_level.or(is_in.then_some("in")) else {
                return Some(left);
            };
            left = Node::Binary(operator, Box::new(left), Box::new(next(self)?));
        }
    }

    fn unary(&mut self) -> Option<Node> {
        if self.sign("!") {
            return Some(Node::Not(Box::new(self.unary()?)));
        }
        let mut node = self.primary()?;
        loop {
            if self.sign(".") {
                let name = self.name()?;
                node = if self.sign("(") {
                    Node::Call(Some(Box::new(node)), name, self.list(")")?)
                } else {
                    Node::Member(Box::new(node), name)
                };
            } else if self.sign("[") {
                let key = self.expression()?;
                node = self
                    .sign("]")
                    .then(|| Node::Item(Box::new(node), Box::new(key)))?;
            } else {
                return Some(node);
            }
        }
    }

    fn primary(&mut self) -> Option<Node> {
        if self.sign("(") {
            let node = self.expression()?;
            return self.sign(")").then_some(node);
        }
        if self.sign("[") {
            return Some(Node::List(self.list("]")?));
        }
        let token = self.tokens.get(self.at)?.clone();
        self.at += 1;
        match token {
            Token::Text(text) => Some(Node::Value(Value::Json(text.into()))),
            Token::Number(number) => Some(Node::Value(Value::Json(number.into()))),
            Token::Name(name) if name == "true" || name == "false" => {
                Some(Node::Value(Value::Json((name == "true").into())))
            }
            Token::Name(name) if self.sign("(") => Some(Node::Call(None, name, self.list(")")?)),
            Token::Name(name) => Some(Node::Name(name)),
            Token::Sign(_) => None,
        }
    }

    fn name(&mut self) -> Option<String> {
        let Token::Name(name) = self.tokens.get(self.at)?.clone() else {
            return None;
        };
        self.at += 1;
        Some(name)
    }

    fn list(&mut self, end: &'static str) -> Option<Vec<Node>> {
        let mut items = Vec::new();
        while !self.sign(end) {
            items.push(self.expression()?);
            if !self.sign(",") {
                return self.sign(end).then_some(items);
            }
        }
        Some(items)
    }
}
