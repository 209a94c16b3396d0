//! When a source renews, how often, and what it gives in the meantime.

use std::time::Duration;

use der::asn1::{OctetString, SetOfVec};
use der::{Decode as _, Encode as _};
use kliento::client::{BearerToken, Supply, TokenSource, TokenSourceError};
use kliento::veraid::{Dialect, Member, MemberCertificate, MemberIdBundle, MemberRequest, Signer};
use kliento::{Timestamp, header};
use tokio::time::advance;

use super::support::{
    AUDIENCE, Behaviour, CHAIN, Clock, LIFETIME, Mint, at, audience, bundle, number, period, settle,
};

const SECOND: Duration = Duration::from_secs(1);

fn reason(result: Result<BearerToken, TokenSourceError>) -> &'static str {
    result.unwrap_err().reason()
}

/// A source with the mint's first token, obtained at noon, and past the second in which none is renewed.
async fn started(mint: &Mint) -> (Clock, TokenSource) {
    let clock = Clock::at_noon();
    let source = clock.source(mint.supply());
    assert_eq!(number(&source.token().await.unwrap()), 1);
    advance(SECOND).await;
    (clock, source)
}

#[tokio::test(start_paused = true)]
async fn obtains_nothing_before_it_is_asked_and_then_gives_a_token_that_verifies() {
    let mint = Mint::new();
    let source = Clock::at_noon().source(mint.supply());
    settle().await;
    assert_eq!(mint.attempts(), 0);
    let token = source.token().await.unwrap();
    let verified = CHAIN
        .verifier(AUDIENCE)
        .verify_header(token.as_str())
        .unwrap();
    assert_eq!(verified.subject(), "alice@example.com");
    assert_eq!(token.audience(), source.audience());
    assert_eq!(token.period(), period(0, LIFETIME));
}

#[tokio::test(start_paused = true)]
async fn gives_the_token_at_hand_until_seven_tenths_of_its_time_are_over() {
    let mint = Mint::new();
    let (clock, source) = started(&mint).await;
    for seconds in [0, 1, 200, 419] {
        clock.set(seconds);
        assert_eq!(number(&source.token().await.unwrap()), 1);
        settle().await;
    }
    assert_eq!(mint.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn renews_ahead_of_the_end_while_the_token_at_hand_is_still_given() {
    let mint = Mint::new();
    let (clock, source) = started(&mint).await;
    mint.close();
    clock.set(480);
    for _ in 0..10 {
        assert_eq!(number(&source.token().await.unwrap()), 1);
        settle().await;
    }
    assert_eq!(mint.attempts(), 2, "once, however many ask");
    mint.open();
    settle().await;
    assert_eq!(number(&source.token().await.unwrap()), 2);
    assert_eq!(mint.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn waits_for_the_next_token_in_the_last_seconds() {
    let mint = Mint::new();
    let (clock, source) = started(&mint).await;
    clock.set(LIFETIME - 10);
    assert_eq!(number(&source.token().await.unwrap()), 2);
}

#[tokio::test(start_paused = true)]
async fn gives_the_token_at_hand_in_the_last_seconds_if_there_is_no_other() {
    let mint = Mint::new();
    let (clock, source) = started(&mint).await;
    mint.will(Behaviour::Fail);
    clock.set(LIFETIME);
    assert_eq!(number(&source.token().await.unwrap()), 1, "its last second");
    assert_eq!(mint.attempts(), 2);
    clock.set(LIFETIME + 1);
    assert_eq!(reason(source.token().await), "client.unobtainable");
}

#[tokio::test(start_paused = true)]
async fn does_not_give_a_token_that_ended_while_the_next_one_was_waited_for() {
    let mint = Mint::new();
    let (clock, source) = started(&mint).await;
    mint.close();
    mint.will(Behaviour::Fail);
    clock.set(LIFETIME);
    let waiting = tokio::spawn({
        let source = source.clone();
        async move { source.token().await }
    });
    settle().await;
    clock.set(LIFETIME + 1);
    mint.open();
    assert_eq!(reason(waiting.await.unwrap()), "client.unobtainable");
}

#[tokio::test(start_paused = true)]
async fn many_who_ask_at_once_wait_for_one_renewal() {
    let mint = Mint::closed();
    let source = Clock::at_noon().source(mint.supply());
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let source = source.clone();
            tokio::spawn(async move { source.token().await })
        })
        .collect();
    settle().await;
    mint.open();
    for task in waiting {
        assert_eq!(number(&task.await.unwrap().unwrap()), 1);
    }
    assert_eq!(mint.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_goes_on_when_those_who_wait_for_it_give_up() {
    let mint = Mint::closed();
    let source = Clock::at_noon().source(mint.supply());
    let waiting = tokio::spawn({
        let source = source.clone();
        async move { source.token().await }
    });
    settle().await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    mint.open();
    assert_eq!(number(&source.token().await.unwrap()), 1);
    assert_eq!(mint.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_leaves_the_token_at_hand_and_is_tried_again_after_a_pause() {
    let mint = Mint::new();
    let (clock, source) = started(&mint).await;
    mint.will(Behaviour::Fail);
    clock.set(480);
    for attempts in 2..6 {
        for _ in 0..5 {
            assert_eq!(number(&source.token().await.unwrap()), 1);
            settle().await;
        }
        assert_eq!(
            mint.attempts(),
            attempts,
            "no further attempt within the pause"
        );
        advance(30 * SECOND).await;
    }
    mint.will(Behaviour::Mint);
    source.token().await.unwrap();
    settle().await;
    assert_eq!(number(&source.token().await.unwrap()), 6);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_everybody_gets_the_last_error_at_once_until_the_pause_is_over() {
    let mint = Mint::new();
    mint.will(Behaviour::Fail);
    let source = Clock::at_noon().source(mint.supply().with_name("the mint"));
    for _ in 0..20 {
        let error = source.token().await.unwrap_err();
        assert_eq!(error.to_string(), "no token from the mint");
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.to_string(), "the mint is on strike");
    }
    assert_eq!(mint.attempts(), 1);
    mint.will(Behaviour::Mint);
    advance(SECOND).await;
    assert_eq!(number(&source.token().await.unwrap()), 2);
}

#[tokio::test(start_paused = true)]
async fn pauses_get_longer_with_each_failure_and_short_again_after_a_success() {
    let mint = Mint::new();
    mint.will(Behaviour::Fail);
    let clock = Clock::at_noon();
    let source = clock.source(mint.supply());
    for _ in 0..6 {
        source.token().await.unwrap_err();
        advance(30 * SECOND).await;
    }
    source.token().await.unwrap_err();
    advance(20 * SECOND).await;
    source.token().await.unwrap_err();
    assert_eq!(mint.attempts(), 7, "after seven failures it takes longer");
    advance(10 * SECOND).await;
    mint.will(Behaviour::Mint);
    source.token().await.unwrap();
    mint.will(Behaviour::Fail);
    clock.set(LIFETIME + 1);
    source.token().await.unwrap_err();
    advance(SECOND).await;
    source.token().await.unwrap_err();
    assert_eq!(mint.attempts(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_supply_that_never_answers_is_given_up() {
    let mint = Mint::new();
    mint.will(Behaviour::Hang);
    let source = Clock::at_noon().source(mint.supply());
    let error = source.token().await.unwrap_err();
    assert_eq!(error.reason(), "client.timed_out");
    assert_eq!(
        error.to_string(),
        "no token from a function within 30 seconds"
    );
    mint.will(Behaviour::Mint);
    advance(SECOND).await;
    assert_eq!(number(&source.token().await.unwrap()), 2);
}

#[tokio::test(start_paused = true)]
async fn a_supply_has_as_much_time_as_its_owner_says() {
    let mint = Mint::new();
    mint.will(Behaviour::Hang);
    let builder = Clock::at_noon().builder(mint.supply());
    let source = builder.time_limit(7 * SECOND).build();
    let start = tokio::time::Instant::now();
    let error = source.token().await.unwrap_err();
    assert_eq!(start.elapsed(), 7 * SECOND);
    assert_eq!(
        error.to_string(),
        "no token from a function within 7 seconds"
    );
}

#[tokio::test(start_paused = true)]
async fn a_supply_that_panics_wedges_nothing() {
    let mint = Mint::new();
    mint.will(Behaviour::Panic);
    let source = Clock::at_noon().source(mint.supply());
    assert_eq!(reason(source.token().await), "client.broken_off");
    mint.will(Behaviour::Mint);
    advance(SECOND).await;
    assert_eq!(number(&source.token().await.unwrap()), 2);
}

#[test]
fn a_runtime_that_goes_during_a_renewal_wedges_nothing() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let mint = Mint::closed();
    let source = Clock::at_noon().source(mint.supply());
    runtime().block_on(async {
        assert!(source.current().is_none());
        settle().await;
    });
    assert_eq!(mint.attempts(), 1);
    mint.open();
    runtime().block_on(async {
        assert_eq!(reason(source.token().await), "client.broken_off");
    });
    runtime().block_on(async {
        tokio::time::sleep(SECOND).await;
        // The pause is measured by a clock that the runtimes do not share here.
        while source.token().await.is_err() {
            tokio::time::sleep(SECOND).await;
        }
    });
}

#[tokio::test(start_paused = true)]
async fn refuses_what_a_server_would_refuse() {
    let cases = [
        (
            "another audience",
            bundle("https://other.example", period(0, LIFETIME), 1),
            "client.other_audience",
        ),
        (
            "the audience with a slash",
            bundle("https://api.example.com/", period(0, LIFETIME), 1),
            "client.other_audience",
        ),
        (
            "ended",
            bundle(AUDIENCE, period(-LIFETIME, -1), 1),
            "client.expired",
        ),
        (
            "not begun",
            bundle(AUDIENCE, period(1, LIFETIME), 1),
            "client.not_yet_valid",
        ),
        ("no bundle", b"hello".to_vec(), "client.unreadable"),
        ("nothing", Vec::new(), "client.unreadable"),
        (
            "a member id bundle",
            CHAIN.member_id_bundle().to_der().unwrap(),
            "client.unreadable",
        ),
    ];
    for (fault, bundle, expected) in cases {
        let mint = Mint::new();
        mint.will(Behaviour::Give(bundle.clone()));
        let source = Clock::at_noon().source(mint.supply());
        assert_eq!(reason(source.token().await), expected, "{fault}");

        let mint = Mint::new();
        let (clock, source) = started(&mint).await;
        clock.set(0);
        mint.will(Behaviour::Give(bundle));
        let token = source.token().await.unwrap();
        let replacement = source.replacement_for(&token).await;
        assert_eq!(replacement.unwrap_err().reason(), expected, "{fault}");
        assert_eq!(
            source.token().await.unwrap(),
            token,
            "{fault}: the good one stays"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn takes_tokens_in_the_first_and_the_last_second() {
    for (start, end) in [(0, LIFETIME), (-LIFETIME, 0)] {
        let mint = Mint::new();
        mint.will(Behaviour::Give(bundle(AUDIENCE, period(start, end), 1)));
        let source = Clock::at_noon().source(mint.supply());
        source.token().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_ends_with_its_dnssec_chain() {
    const DNSSEC_END: i64 = 6 * 86_400;
    let mint = Mint::new();
    let token = bundle(AUDIENCE, period(DNSSEC_END - 60, DNSSEC_END + 60), 1);
    mint.will(Behaviour::Give(token));
    let clock = Clock::at_noon();
    clock.set(DNSSEC_END - 30);
    let source = clock.source(mint.supply());
    let token = source.token().await.unwrap();
    assert_eq!(token.period(), period(DNSSEC_END - 60, DNSSEC_END));
    clock.set(DNSSEC_END + 1);
    assert_eq!(reason(source.token().await), "client.expired");

    advance(SECOND).await;
    mint.will(Behaviour::Mint);
    assert_eq!(reason(source.token().await), "client.never_valid");
}

/// A response to the question for the DS records of a zone, with an RRSIG over them that ends.
fn signed_ds(zone: &[u8], end: Timestamp) -> Vec<u8> {
    const DS: [u8; 2] = [0, 43];
    const RRSIG: [u8; 2] = [0, 46];
    const IN: [u8; 2] = [0, 1];
    let seconds = |time: Timestamp| u32::try_from(time.unix_seconds()).unwrap().to_be_bytes();
    let ttl = [0, 0, 14, 16];
    let rdata = [
        // Algorithm, labels, original TTL; expiration and inception; key tag, signer, signature.
        &[&DS[..], &[15, 1], &ttl].concat()[..],
        &seconds(end),
        &seconds(at(-3_600)),
        &[0, 7, 0],
        &[7; 64],
    ]
    .concat();
    let length = u16::try_from(rdata.len()).unwrap().to_be_bytes();
    [
        // ID, flags of a response, one question, one answer.
        &[0, 0, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0][..],
        zone,
        &DS,
        &IN,
        zone,
        &RRSIG,
        &IN,
        &ttl,
        &length,
        &rdata,
    ]
    .concat()
}

/// The root has no parent, so no DS records vouch for its keys, and what a chain says of some limits nothing.
#[tokio::test(start_paused = true)]
async fn a_token_ends_with_the_ds_records_of_all_zones_but_the_root() {
    for (zone, expected) in [
        (&b"\0"[..], period(0, LIFETIME)),
        (b"\x03org\0", period(0, 60)),
    ] {
        let mut chain = SetOfVec::<OctetString>::from_der(CHAIN.dnssec_chain()).unwrap();
        let response = OctetString::new(signed_ds(zone, at(60))).unwrap();
        chain.insert(response).unwrap();
        let id = CHAIN.member_id_bundle();
        let id = MemberIdBundle::new(
            &chain.to_der().unwrap(),
            id.organisation_certificate().clone(),
            id.member_certificate().clone(),
            Vec::new(),
        )
        .unwrap();
        let signer = Signer::member(&id, CHAIN.member_key());
        let token = kliento::Token::new(audience());
        let mint = Mint::new();
        let bundle = kliento::issue(&signer, &token, period(0, LIFETIME)).unwrap();
        mint.will(Behaviour::Give(bundle));
        let source = Clock::at_noon().source(mint.supply());
        assert_eq!(source.token().await.unwrap().period(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_ends_with_its_certificate() {
    let certificate = MemberCertificate::issue(
        &MemberRequest::new(
            &"alice".parse().map(Member::User).unwrap(),
            CHAIN.member_id_bundle().member_certificate().public_key(),
            CHAIN.organisation_certificate(),
            Dialect::VeraId,
            period(10, 100),
        ),
        CHAIN.organisation_key(),
    )
    .unwrap();
    let organisation = CHAIN.organisation_certificate().clone();
    let id =
        MemberIdBundle::new(CHAIN.dnssec_chain(), organisation, certificate, Vec::new()).unwrap();
    let signer = Signer::member(&id, CHAIN.member_key());
    let token = kliento::Token::new(audience());
    let bundle = kliento::issue(&signer, &token, period(0, LIFETIME)).unwrap();
    let mint = Mint::new();
    mint.will(Behaviour::Give(bundle));
    let clock = Clock::at_noon();
    let source = clock.source(mint.supply());
    assert_eq!(reason(source.token().await), "client.not_yet_valid");
    clock.set(10);
    advance(SECOND).await;
    assert_eq!(source.token().await.unwrap().period(), period(10, 100));
}

#[tokio::test(start_paused = true)]
async fn follows_a_clock_that_is_set() {
    let mint = Mint::new();
    let (clock, source) = started(&mint).await;
    clock.set(-86_400 / 2);
    assert_eq!(
        reason(source.token().await),
        "client.never_valid",
        "before DNSSEC begins"
    );
    advance(SECOND).await;
    clock.set(-60);
    let earlier = source.token().await.unwrap();
    assert_eq!(earlier.period().start(), at(-60), "not the one of noon");
    clock.set(86_400);
    let later = source.token().await.unwrap();
    assert_eq!(later.period().start(), at(86_400));
}

#[tokio::test(start_paused = true)]
async fn a_supply_of_tokens_that_are_about_to_end_is_not_asked_all_the_time() {
    let mint = Mint::new();
    let clock = Clock::at_noon();
    mint.will(Behaviour::Give(bundle(AUDIENCE, period(-LIFETIME, 1), 1)));
    let source = clock.source(mint.supply());
    for _ in 0..50 {
        source.token().await.unwrap();
        settle().await;
    }
    assert_eq!(mint.attempts(), 1);
    advance(SECOND).await;
    source.token().await.unwrap();
    assert_eq!(mint.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_at_hand_can_be_had_without_waiting() {
    let mint = Mint::new();
    let clock = Clock::at_noon();
    let source = clock.source(mint.supply());
    assert!(source.current().is_none());
    settle().await;
    assert_eq!(
        number(&source.current().unwrap()),
        1,
        "obtained in the background"
    );
    advance(SECOND).await;
    clock.set(480);
    assert_eq!(number(&source.current().unwrap()), 1);
    settle().await;
    assert_eq!(number(&source.current().unwrap()), 2);
    mint.close();
    advance(SECOND).await;
    clock.set(480 + LIFETIME);
    assert_eq!(number(&source.current().unwrap()), 2, "its last second");
    clock.set(480 + LIFETIME + 1);
    assert!(source.current().is_none());
}

#[test]
fn outside_a_runtime_there_is_what_is_at_hand() {
    let mint = Mint::new();
    let clock = Clock::at_noon();
    let source = clock.source(mint.supply());
    assert!(source.current().is_none());
    assert_eq!(
        source.keep_fresh().unwrap_err().reason(),
        "client.no_runtime"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { source.token().await.unwrap() });
    drop(runtime);
    assert_eq!(number(&source.current().unwrap()), 1);
    clock.set(LIFETIME);
    assert_eq!(number(&source.current().unwrap()), 1);
    clock.set(LIFETIME + 1);
    assert!(source.current().is_none());
}

#[tokio::test(start_paused = true)]
async fn many_whose_token_was_refused_share_one_replacement() {
    let mint = Mint::new();
    let (_, source) = started(&mint).await;
    let refused = source.token().await.unwrap();
    mint.close();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let (source, refused) = (source.clone(), refused.clone());
            tokio::spawn(async move { source.replacement_for(&refused).await })
        })
        .collect();
    settle().await;
    mint.open();
    for task in waiting {
        assert_eq!(number(&task.await.unwrap().unwrap().unwrap()), 2);
    }
    let late = source.replacement_for(&refused).await.unwrap().unwrap();
    assert_eq!(number(&late), 2, "what another obtained will do");
    assert_eq!(mint.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn refused_tokens_are_replaced_every_ten_seconds_at_most() {
    let mint = Mint::new();
    let (_, source) = started(&mint).await;
    for round in 1..4 {
        let refused = source.token().await.unwrap();
        assert_eq!(number(&refused), round);
        let replacement = source.replacement_for(&refused).await.unwrap().unwrap();
        advance(9 * SECOND).await;
        assert!(
            source
                .replacement_for(&replacement)
                .await
                .unwrap()
                .is_none()
        );
        assert_eq!(mint.attempts(), round + 1);
        advance(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_token_is_no_replacement() {
    let mint = Mint::new();
    mint.will(Behaviour::Give(bundle(AUDIENCE, period(0, LIFETIME), 1)));
    let source = Clock::at_noon().source(mint.supply());
    let refused = source.token().await.unwrap();
    assert!(source.replacement_for(&refused).await.unwrap().is_none());
    assert_eq!(mint.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn can_be_kept_fresh_while_nobody_asks() {
    let mint = Mint::new();
    let start = tokio::time::Instant::now();
    let elapsed = move || i64::try_from(start.elapsed().as_secs()).unwrap();
    let source = TokenSource::builder(audience(), mint.supply())
        .clock(move || at(elapsed()))
        .build();
    let kept = source.keep_fresh().unwrap();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    // Each lives ten minutes, and is renewed after seven to eight of them or half a minute later.
    assert!((7..=9).contains(&mint.attempts()), "{}", mint.attempts());
    let token = source.current().unwrap();
    assert!(token.period().end() >= at(elapsed() + 60));

    drop(kept);
    let attempts = mint.attempts();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert_eq!(mint.attempts(), attempts, "no longer");
}

#[tokio::test(start_paused = true)]
async fn nothing_shows_a_token_but_what_gives_it() {
    let mint = Mint::new();
    let (_, source) = started(&mint).await;
    let token = source.token().await.unwrap();
    assert!(token.header_value().is_sensitive());
    assert_eq!(token.header_value().to_str().unwrap(), token.as_str());
    let shown = format!(
        "{token:?} {:?} {source:?} {:?}",
        token.header_value(),
        mint.supply()
    );
    let base64 = token.as_str().strip_prefix("Kliento ").unwrap();
    assert!(!shown.contains(&base64[..20]), "{shown}");
    assert!(shown.contains(AUDIENCE) && shown.contains("2026-11-21T12:10:00Z"));
}

#[tokio::test(start_paused = true)]
async fn an_error_quotes_no_token() {
    let mint = Mint::new();
    let text = header::encode(&bundle(AUDIENCE, period(0, LIFETIME), 1));
    let cut = text.as_bytes()[..text.len() - 7].to_vec();
    mint.will(Behaviour::Give(cut));
    let source = Clock::at_noon().source(mint.supply());
    let error = source.token().await.unwrap_err();
    assert!(!format!("{error:?}").contains(&text[20..40]));
}

#[tokio::test(start_paused = true)]
async fn all_forms_of_a_bundle_are_taken_from_a_function() {
    let der = bundle(AUDIENCE, period(0, LIFETIME), 1);
    let header = header::encode(&der);
    let base64 = header.strip_prefix("Kliento ").unwrap();
    for form in [der.clone(), base64.into(), header.clone().into()] {
        let supply = Supply::from_fn(move |_| {
            let form = form.clone();
            async move { Ok(form) }
        });
        let token = Clock::at_noon().source(supply).token().await.unwrap();
        assert_eq!(token.as_str(), header);
    }
}
