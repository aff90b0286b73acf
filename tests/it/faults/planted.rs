//! The exhaustive runs can fail: operators with a bug, each of them caught by the oracle that is there for it.

use super::bug::Bug;
use super::exhaustive_runs::objections_to;
use super::workloads::{self, Workload};

/// One of the oracles objects, and it is this one.
async fn is_caught(bug: Bug, workload: Workload, oracle: &str) {
    let objections = objections_to(bug, workload).await;
    println!("{bug:?}: {:?}", objections.first());
    assert!(
        objections.iter().any(|said| said.contains(oracle)),
        "{bug:?} was not caught by {oracle}, but by {objections:?}"
    );
}

#[tokio::test]
async fn planted_ready_before_the_secret() {
    is_caught(Bug::StatusFirst, workloads::create(), "I2a").await;
}

#[tokio::test]
async fn planted_a_replacement_without_precondition() {
    is_caught(Bug::NoPrecondition, workloads::edit_the_secret(), "F50").await;
}

#[tokio::test]
async fn planted_a_secret_of_others_is_overwritten() {
    is_caught(Bug::Overwrites, workloads::find_the_name_taken(), "I4").await;
}

#[tokio::test]
async fn planted_a_deletion_by_name_alone() {
    is_caught(Bug::BlindDelete, workloads::rename(), "I4").await;
}

#[tokio::test]
async fn planted_a_failure_is_swallowed() {
    is_caught(Bug::SwallowsFailures, workloads::create(), "I2a").await;
}

#[tokio::test]
async fn planted_nothing_is_repaired() {
    is_caught(Bug::NeverRepairs, workloads::tamper(), "I1").await;
}

#[tokio::test]
async fn planted_the_owner_is_left_away() {
    is_caught(Bug::NoOwner, workloads::delete(), "I1").await;
}

#[tokio::test]
async fn planted_the_ledger_is_lost() {
    is_caught(Bug::LosesTheLedger, workloads::rotate_after_a_leak(), "I1").await;
}

#[tokio::test]
async fn planted_a_deletion_is_not_seen() {
    is_caught(Bug::DeafToDeletion, workloads::hold_by_a_finalizer(), "F32").await;
}

#[tokio::test]
async fn planted_deleted_and_created_instead_of_replaced() {
    is_caught(Bug::DeletesThenCreates, workloads::edit_the_secret(), "I2a").await;
}

#[tokio::test]
async fn planted_a_random_value() {
    is_caught(Bug::RandomValue, workloads::create(), "I3").await;
}

#[tokio::test]
async fn planted_a_status_that_never_rests() {
    is_caught(
        Bug::Chatters,
        workloads::create(),
        "I1: never comes to rest",
    )
    .await;
}

#[tokio::test]
async fn planted_a_former_name_is_forgotten() {
    is_caught(Bug::ForgetsFormerNames, workloads::rename(), "F41").await;
}

#[tokio::test]
async fn planted_a_message_quotes_the_secret() {
    is_caught(Bug::QuotesTheSecret, workloads::create(), "a secret is in").await;
}

#[tokio::test]
async fn planted_a_request_is_answered_again() {
    is_caught(Bug::ForgetsRequests, workloads::rotate(), "I1").await;
}

#[tokio::test]
async fn planted_the_former_generation_is_published() {
    is_caught(
        Bug::PublishesTheFormer,
        workloads::rotate_after_a_leak(),
        "I2a",
    )
    .await;
}

#[tokio::test]
async fn planted_the_old_generation_retires_first() {
    is_caught(Bug::RetiresFirst, workloads::rotate(), "I2b").await;
}

#[tokio::test]
async fn planted_the_former_root_key_leaves_before_clients_moved() {
    let workload = workloads::rotate_the_root_key();
    is_caught(Bug::DropsTheFormerKey, workload, "F89").await;
}

#[tokio::test]
async fn planted_root_keys_are_withdrawn_before_there_is_another() {
    let workload = workloads::withdraw_the_root_key();
    is_caught(Bug::WithdrawsFirst, workload, "F89: ").await;
}
