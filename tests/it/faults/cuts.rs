//! Every interval of events that an operator does not hear of, because its watches say nothing and have expired
//! afterwards, or because it is down; people go on meanwhile.

use super::exhaustive_runs::no_interval_matters;
use super::workloads;

#[tokio::test]
async fn f12_f13_a_client_is_created_and_deleted_unheard() {
    no_interval_matters(workloads::delete()).await;
}

#[tokio::test]
async fn f12_what_changes_the_secret_is_edited_unheard() {
    no_interval_matters(workloads::edit_the_secret()).await;
}

#[tokio::test]
async fn f12_what_changes_the_registration_is_edited_unheard() {
    no_interval_matters(workloads::edit_the_registration()).await;
}

#[tokio::test]
async fn f12_a_client_becomes_public_and_confidential_again_unheard() {
    no_interval_matters(workloads::change_the_type()).await;
}

#[tokio::test]
async fn f12_f41_a_secret_is_renamed_unheard() {
    no_interval_matters(workloads::rename()).await;
}

#[tokio::test]
async fn f12_f18_a_client_is_recreated_unheard() {
    no_interval_matters(workloads::delete_and_recreate()).await;
}

#[tokio::test]
async fn f12_f33_a_secret_is_deleted_unheard() {
    no_interval_matters(workloads::lose_the_secret()).await;
}

#[tokio::test]
async fn f12_f47_a_secret_is_tampered_with_unheard() {
    no_interval_matters(workloads::tamper()).await;
}

#[tokio::test]
async fn f12_a_tenant_changes_its_mind_unheard() {
    no_interval_matters(workloads::change_the_tenant()).await;
}

#[tokio::test]
async fn f12_f30_a_namespace_is_deleted_unheard() {
    no_interval_matters(workloads::delete_the_namespace()).await;
}

#[tokio::test]
async fn f12_a_client_is_suspended_unheard() {
    no_interval_matters(workloads::suspend()).await;
}

#[tokio::test]
async fn f12_a_secret_is_retained_unheard() {
    no_interval_matters(workloads::retain_and_live()).await;
}

#[tokio::test]
async fn f12_f39_the_name_of_a_secret_is_taken_unheard() {
    no_interval_matters(workloads::find_the_name_taken()).await;
}

#[tokio::test]
async fn f12_f32_a_finalizer_holds_a_client_unheard() {
    no_interval_matters(workloads::hold_what_was_said()).await;
}

#[tokio::test]
async fn f12_f40_two_clients_want_one_secret_unheard() {
    no_interval_matters(workloads::want_one_secret()).await;
}

#[tokio::test]
async fn f12_a_secret_is_rotated_unheard() {
    no_interval_matters(workloads::rotate_unheard()).await;
}

#[tokio::test]
async fn f12_f33_a_rotated_secret_is_lost_unheard() {
    no_interval_matters(workloads::rotate_and_lose()).await;
}

#[tokio::test]
async fn f12_f89_the_root_key_is_rotated_unheard() {
    no_interval_matters(workloads::rotate_the_root_key()).await;
}

#[tokio::test]
async fn f12_f89_the_root_key_is_withdrawn_unheard() {
    no_interval_matters(workloads::withdraw_the_root_key()).await;
}

#[tokio::test]
async fn f12_a_person_comes_changes_and_goes_unheard() {
    no_interval_matters(workloads::have_a_person_unheard()).await;
}
