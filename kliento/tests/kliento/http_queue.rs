//! Who is verified, and when, where there is more to verify than can be.

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use kliento::http::{Refusal, VerificationQueue};
use kliento::testing::TrustChain;
use kliento::veraid::Member;
use kliento::{Token, VerifiedToken, Verifier};
use tokio::task::JoinHandle;

const AUDIENCE: &str = "https://api.example.com";

static CHAIN: LazyLock<TrustChain> = LazyLock::new(|| TrustChain::new("example.com", "alice"));

fn token(number: usize) -> Token {
    Token::new(AUDIENCE.parse().unwrap()).with_claim("number", number.to_string())
}

/// Of alice, another one for each number.
fn by_alice(number: usize) -> Vec<u8> {
    CHAIN.token(&token(number))
}

/// Signed by the organisation itself.
fn by_the_organisation(number: usize) -> Vec<u8> {
    CHAIN.organisation_token(&token(number), &Member::User("bob".parse().unwrap()))
}

fn tampered(mut bundle: Vec<u8>) -> Vec<u8> {
    *bundle.last_mut().unwrap() ^= 1;
    bundle
}

fn of_a_stranger() -> Vec<u8> {
    b"junk".to_vec()
}

type Outcome = Result<VerifiedToken, Refusal>;

/// A queue with one processor, which verifies no more than it is told to: the clock stands still.
struct Held {
    verifier: Verifier,
    queue: VerificationQueue,
    go_on: mpsc::Sender<()>,
    /// Those that were answered, in their order.
    answered: Arc<Mutex<Vec<&'static str>>>,
}

impl Held {
    /// Knows alice and the organisation, and has a verification under way.
    fn new(waiting: usize) -> Self {
        let (go_on, stop) = mpsc::channel();
        let stop = Mutex::new(stop);
        let asked_by = thread::current().id();
        let time = CHAIN.time();
        let verifier = Verifier::builder(AUDIENCE.parse().unwrap())
            .trust_anchors(CHAIN.trust_anchors().clone())
            .clock(move || {
                if thread::current().id() != asked_by {
                    // Nobody holds it up any more where nobody is left to let it go on.
                    let _ = stop.lock().unwrap().recv();
                }
                time
            })
            .build();
        verifier.verify_bundle(&by_alice(0)).unwrap();
        verifier.verify_bundle(&by_the_organisation(0)).unwrap();
        Self {
            verifier,
            queue: VerificationQueue::new(NonZeroUsize::MIN, waiting),
            go_on,
            answered: Arc::default(),
        }
    }

    /// Sends a bundle, and says what has come of it once all that can be done is done.
    async fn send(&self, name: &'static str, bundle: Vec<u8>) -> JoinHandle<Outcome> {
        let (verifier, queue) = (self.verifier.clone(), self.queue.clone());
        let answered = Arc::clone(&self.answered);
        let task = tokio::spawn(async move {
            let outcome = queue.verify_bundle(&verifier, bundle).await;
            answered.lock().unwrap().push(name);
            outcome
        });
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        task
    }

    async fn strangers(&self, count: usize) -> Vec<JoinHandle<Outcome>> {
        let mut tasks = Vec::new();
        for _ in 0..count {
            tasks.push(self.send("a stranger", of_a_stranger()).await);
        }
        assert!(tasks.iter().all(|task| !task.is_finished()));
        tasks
    }

    /// Lets all be verified, one after the other.
    fn let_go(&mut self) {
        self.go_on = mpsc::channel().0;
    }

    /// Lets one be verified, and waits until it is answered.
    async fn let_one_go(&self) {
        let before = self.answered().len();
        self.go_on.send(()).unwrap();
        for _ in 0..10_000 {
            if self.answered().len() > before {
                return;
            }
            thread::sleep(Duration::from_millis(1));
            tokio::task::yield_now().await;
        }
        panic!("nobody is answered");
    }

    fn answered(&self) -> Vec<&'static str> {
        self.answered.lock().unwrap().clone()
    }
}

async fn is_refused(task: JoinHandle<Outcome>) -> bool {
    task.is_finished() && matches!(task.await.unwrap(), Err(Refusal::TooManyVerifications))
}

#[tokio::test(flavor = "current_thread")]
async fn strangers_leave_known_signers_a_place() {
    // Two places for known signers, two for known organisations, and four for all.
    let mut held = Held::new(8);
    let strangers = held.strangers(1 + 4).await;
    assert!(is_refused(held.send("a stranger", of_a_stranger()).await).await);
    assert!(is_refused(held.send("tampered chain", forged_chain()).await).await);
    let alice = held.send("alice", by_alice(1)).await;
    assert!(!alice.is_finished());
    held.let_go();
    assert_eq!(alice.await.unwrap().unwrap().subject(), "alice@example.com");
    for stranger in strangers {
        assert!(matches!(stranger.await.unwrap(), Err(Refusal::Token(_))));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn strangers_leave_members_of_known_organisations_a_place() {
    let mut held = Held::new(8);
    let carol = CHAIN.another_member("carol");
    let strangers = held.strangers(1 + 4).await;
    let mut new_members = Vec::new();
    // Two places, of which one organisation can have an eighth, but one at least.
    for number in 0..2 {
        new_members.push(held.send("carol", carol.token(&token(number))).await);
    }
    let refused = new_members.pop().unwrap();
    assert!(is_refused(refused).await);
    // Their place is none of those for known signers.
    let alice = held.send("alice", by_alice(1)).await;
    assert!(!alice.is_finished());
    held.let_go();
    assert!(alice.await.unwrap().is_ok());
    for member in new_members {
        let verified = member.await.unwrap().unwrap();
        assert_eq!(verified.subject(), "carol@example.com");
    }
    for stranger in strangers {
        assert!(stranger.await.unwrap().is_err());
    }
}

/// A token of a known signer but for the chain, which nobody knows.
fn forged_chain() -> Vec<u8> {
    let mut bundle = by_alice(1);
    // Within the first DNS message.
    bundle[30] ^= 1;
    bundle
}

#[tokio::test(flavor = "current_thread")]
async fn a_known_signer_does_not_wait_for_strangers_who_came_before() {
    let mut held = Held::new(8);
    let strangers = held.strangers(1 + 4).await;
    let alice = held.send("alice", by_alice(1)).await;
    for _ in 0..3 {
        held.let_one_go().await;
    }
    // One was being verified, and one was the next.
    assert_eq!(held.answered(), ["a stranger", "a stranger", "alice"]);
    alice.await.unwrap().unwrap();
    held.let_go();
    for stranger in strangers {
        assert!(stranger.await.unwrap().is_err());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn bundles_in_the_name_of_one_signer_leave_others_a_place() {
    // Parties are told apart by numbers that each queue's verifier draws at random, and two in some dozens share one.
    for _ in 0..8 {
        if is_verified_beside_copies_of_another().await {
            return;
        }
    }
    panic!("alice finds no place beside copies of another signer's bundles");
}

/// Whether alice finds a place; if so, she does not wait for all of the copies.
async fn is_verified_beside_copies_of_another() -> bool {
    // Sixteen places for known signers, of which one can have two; and 32 for all.
    let mut held = Held::new(64);
    let running = held.strangers(1).await;
    let mut copies = Vec::new();
    for number in 0..40 {
        let bundle = tampered(by_the_organisation(number));
        copies.push(held.send("a copy", bundle).await);
    }
    let refused = copies.iter().filter(|copy| copy.is_finished()).count();
    assert_eq!(refused, 40 - 2 - 32);
    assert!(is_refused(held.send("a stranger", of_a_stranger()).await).await);
    let alice = held.send("alice", by_alice(1)).await;
    let has_place = !alice.is_finished();
    // Those that were refused are answered already.
    let refused = held.answered().len();
    while !alice.is_finished() {
        assert!(
            held.answered().len() < refused + 20,
            "{:?}",
            held.answered()
        );
        held.let_one_go().await;
        tokio::task::yield_now().await;
    }
    assert_eq!(alice.await.unwrap().is_ok(), has_place);
    held.let_go();
    for task in running.into_iter().chain(copies) {
        assert!(task.await.unwrap().is_err());
    }
    has_place
}

#[tokio::test(flavor = "current_thread")]
async fn a_queue_of_three_reserves_nothing() {
    let mut held = Held::new(3);
    let strangers = held.strangers(1 + 3).await;
    assert!(is_refused(held.send("alice", by_alice(1)).await).await);
    held.let_go();
    for stranger in strangers {
        assert!(stranger.await.unwrap().is_err());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_goes_away_leaves_its_place() {
    let mut held = Held::new(1);
    let running = held.strangers(1).await;
    for _ in 0..5 {
        let waiting = held.strangers(1).await;
        assert!(is_refused(held.send("a stranger", of_a_stranger()).await).await);
        for task in waiting {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
    }
    held.let_go();
    for task in running {
        assert!(task.await.unwrap().is_err());
    }
    let alice = held.send("alice", by_alice(1)).await;
    assert!(alice.await.unwrap().is_ok());
}
