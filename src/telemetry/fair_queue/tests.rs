use super::*;

const BOUNDS: Bounds = Bounds {
    all: 12,
    group: 8,
    member: 4,
};

fn turn(group: &str, member: &str) -> Member {
    Member {
        group: group.into(),
        member: member.into(),
    }
}

impl<T> FairQueue<T> {
    /// How much waits.
    fn waiting(&self) -> usize {
        self.waiting
    }

    /// The first piece of a member that waits and is like this.
    fn find(&mut self, turn: &Member, is: impl Fn(&T) -> bool) -> Option<&mut T> {
        let group = self.groups.get_mut(&turn.group)?;
        let items = group.members.get_mut(&turn.member)?;
        items.iter_mut().find(|item| is(item))
    }
}

fn queue() -> FairQueue<u32> {
    FairQueue::new(BOUNDS)
}

/// Serves `count` pieces that take what `took` says, and names the groups and members in their order.
fn served(
    queue: &mut FairQueue<u32>,
    count: usize,
    took: impl Fn(&Member) -> Duration,
) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        let Some((turn, _)) = queue.pop() else { break };
        queue.done(&turn, took(&turn));
        names.push(format!("{}{}", turn.group, turn.member));
    }
    names
}

#[test]
fn q04_who_sends_one_is_served_before_the_second_of_others() {
    let mut queue = queue();
    for item in 0..4 {
        queue.push(&turn("a", "1"), item).unwrap();
        queue.push(&turn("a", "2"), item).unwrap();
    }
    let alike = |_: &Member| Duration::from_millis(50);
    assert_eq!(served(&mut queue, 2, alike), ["a1", "a2"]);
    queue.push(&turn("a", "3"), 9).unwrap();
    queue.push(&turn("b", "1"), 9).unwrap();
    assert_eq!(served(&mut queue, 3, alike), ["b1", "a3", "a1"]);
    assert_eq!(queue.waiting(), 5);
}

#[test]
fn q04_costly_work_is_charged_for_what_it_takes() {
    let mut queue = queue();
    for item in 0..4 {
        queue.push(&turn("a", "cheap"), item).unwrap();
        queue.push(&turn("a", "costly"), item).unwrap();
    }
    let took = |turn: &Member| match &*turn.member {
        "costly" => Duration::from_millis(500),
        _ => Duration::from_millis(50),
    };
    let order = served(&mut queue, 5, took);
    assert_eq!(order, ["acheap", "acostly", "acheap", "acheap", "acheap"]);
}

#[test]
fn q04_each_bound_holds_and_who_has_most_makes_room() {
    let mut queue = queue();
    for item in 0..4 {
        assert_eq!(queue.push(&turn("a", "1"), item), Ok(None));
    }
    assert_eq!(queue.push(&turn("a", "1"), 4), Err(Full::One));
    for item in 10..14 {
        assert_eq!(queue.push(&turn("a", "2"), item), Ok(None));
    }
    let displaced = queue.push(&turn("a", "3"), 20).unwrap();
    assert!([Some(3), Some(13)].contains(&displaced), "{displaced:?}");
    for item in 30..34 {
        assert_eq!(queue.push(&turn("b", "1"), item), Ok(None));
    }
    assert_eq!(queue.waiting(), 12);
    assert!(
        queue
            .push(&turn("c", "1"), 40)
            .unwrap()
            .is_some_and(|item| item < 30)
    );
    assert_eq!(queue.waiting(), 12);
    let mut seen = 0;
    while let Some((turn, _)) = queue.pop() {
        seen += 1;
        queue.done(&turn, Duration::ZERO);
    }
    assert_eq!(seen, 12);
    assert!(queue.groups.is_empty());
}

#[test]
fn q04_a_full_queue_of_equals_is_full() {
    let mut queue = queue();
    for number in 0..12 {
        queue.push(&turn(&number.to_string(), "1"), number).unwrap();
    }
    assert_eq!(queue.push(&turn("13", "1"), 13), Err(Full::All));
    assert_eq!(queue.push(&turn("3", "2"), 13), Err(Full::All));
    assert_eq!(queue.find(&turn("3", "1"), |_| true), Some(&mut 3));
}

#[test]
fn virtual_time_takes_no_room_for_those_who_are_gone() {
    let mut queue = queue();
    for number in 0..1000 {
        queue.push(&turn("a", &number.to_string()), number).unwrap();
        queue.push(&turn(&number.to_string(), "1"), number).unwrap();
        served(&mut queue, 2, |_| Duration::from_millis(1));
    }
    assert!(queue.groups.is_empty() && queue.shares.served_until.len() < 10);
}
