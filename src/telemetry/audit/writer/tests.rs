use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Not everything at once, as a pipe.
        let some = &bytes[..bytes.len().min(1000)];
        self.0.lock().unwrap().extend_from_slice(some);
        Ok(some.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Each write waits for its result, and says before that it waits.
struct Stuck(Sender<()>, Receiver<io::Result<()>>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(()).ok();
        let done = self.1.recv().unwrap_or(Ok(()));
        done.map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn stuck(when_full: WhenFull) -> (AuditWriter, Receiver<()>, Sender<io::Result<()>>) {
    let ((begun, begins), (done, ends)) = (channel(), channel());
    let writer = AuditWriter::start(Stuck(begun, ends), when_full).unwrap();
    (writer, begins, done)
}

#[test]
fn lines_are_whole_and_in_their_order() {
    let memory = Memory::default();
    let writer = AuditWriter::start(memory.clone(), WhenFull::Refuse).unwrap();
    let expected: Vec<String> = (0..10_000).map(|line| format!("line {line}\n")).collect();
    let expected = expected.concat();
    for line in expected.split_inclusive('\n') {
        writer.append(line.as_bytes());
    }
    writer.flush();
    assert_eq!(
        String::from_utf8(memory.0.lock().unwrap().clone()).unwrap(),
        expected
    );
}

#[test]
fn lines_of_several_threads_do_not_mix() {
    let memory = Memory::default();
    let writer = AuditWriter::start(memory.clone(), WhenFull::Refuse).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let writer = &writer;
            scope.spawn(move || {
                for line in 0..1000 {
                    writer.append(format!("{thread} {line}\n").as_bytes());
                }
            });
        }
    });
    writer.close();
    let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    let mut expected: Vec<String> = (0..4)
        .flat_map(|thread| (0..1000).map(move |line| format!("{thread} {line}")))
        .collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

#[test]
fn a_destination_that_hangs_refuses_new_requests_before_it_is_full() {
    let (writer, begins, done) = stuck(WhenFull::Refuse);
    assert!(writer.has_room());
    writer.append(b"first\n");
    begins.recv().unwrap();
    let line = [b'x'; 1024];
    for _ in 0..REFUSE_FROM_BYTES / line.len() {
        writer.append(&line);
    }
    assert!(!writer.has_room());
    // Requests that were being answered still hand over theirs, without waiting.
    writer.append(&line);
    done.send(Ok(())).unwrap();
    begins.recv().unwrap();
    assert!(writer.has_room());
    assert_eq!(writer.lost.get(), 0);
    drop(done);
}

#[test]
fn with_drop_lines_are_lost_and_counted() {
    let (writer, begins, done) = stuck(WhenFull::Drop);
    writer.append(b"first\n");
    begins.recv().unwrap();
    let line = vec![b'x'; MAX_BUFFERED_BYTES];
    writer.append(&line);
    writer.append(b"lost\n");
    assert_eq!(writer.lost.get(), 1);
    assert!(writer.has_room());
    drop(done);
}

#[test]
fn a_failed_write_is_repeated_and_nothing_is_lost() {
    let (writer, begins, done) = stuck(WhenFull::Refuse);
    writer.append(b"line\n");
    begins.recv().unwrap();
    done.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
    // The second try.
    begins.recv().unwrap();
    done.send(Ok(())).unwrap();
    writer.flush();
    assert_eq!(writer.lost.get(), 0);
}

#[test]
fn the_end_does_not_wait_for_a_destination_that_fails() {
    let (writer, begins, done) = stuck(WhenFull::Refuse);
    writer.append(b"line\n");
    begins.recv().unwrap();
    done.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
    writer.close();
    writer.append(b"after the end\n");
    assert_eq!(writer.lost.get(), 1);
}
