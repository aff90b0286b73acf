//! A fault at every write of every workload: the operator ends before it or after it, the answer is lost, the API server
//! fails, or another writer is faster; alone, and with a second operator that takes over.

use super::exhaustive_runs::no_fault_matters;
use super::workloads;

#[tokio::test]
async fn f01_f03_a_client_is_created() {
    no_fault_matters(workloads::create()).await;
}

#[tokio::test]
async fn f01_f09_what_changes_the_secret_is_edited() {
    no_fault_matters(workloads::edit_the_secret()).await;
}

#[tokio::test]
async fn f01_f09_what_changes_the_registration_is_edited() {
    no_fault_matters(workloads::edit_the_registration()).await;
}

#[tokio::test]
async fn f01_f20_a_client_is_edited_twice_at_once() {
    no_fault_matters(workloads::edit_quickly()).await;
}

#[tokio::test]
async fn f01_a_client_becomes_public_and_confidential_again() {
    no_fault_matters(workloads::change_the_type()).await;
}

#[tokio::test]
async fn f01_f41_a_secret_is_renamed_and_back() {
    no_fault_matters(workloads::rename()).await;
}

#[tokio::test]
async fn f01_a_client_is_deleted() {
    no_fault_matters(workloads::delete()).await;
}

#[tokio::test]
async fn f01_f18_a_client_is_deleted_and_recreated_at_once() {
    no_fault_matters(workloads::delete_and_recreate()).await;
}

#[tokio::test]
async fn f01_f33_a_secret_is_deleted() {
    no_fault_matters(workloads::lose_the_secret()).await;
}

#[tokio::test]
async fn f01_f47_a_secret_is_tampered_with() {
    no_fault_matters(workloads::tamper()).await;
}

#[tokio::test]
async fn f01_a_tenant_changes_its_mind() {
    no_fault_matters(workloads::change_the_tenant()).await;
}

#[tokio::test]
async fn f01_f30_a_namespace_is_deleted() {
    no_fault_matters(workloads::delete_the_namespace()).await;
}

#[tokio::test]
async fn f01_a_client_is_suspended_and_taken_back() {
    no_fault_matters(workloads::suspend()).await;
}

#[tokio::test]
async fn f01_a_secret_is_retained() {
    no_fault_matters(workloads::retain()).await;
}

#[tokio::test]
async fn f01_f39_the_name_of_a_secret_is_taken() {
    no_fault_matters(workloads::find_the_name_taken()).await;
}

#[tokio::test]
async fn f01_f32_a_finalizer_of_others_holds_a_client() {
    no_fault_matters(workloads::hold_by_a_finalizer()).await;
}

#[tokio::test]
async fn f01_f40_two_clients_want_one_secret() {
    no_fault_matters(workloads::want_one_secret()).await;
}

#[tokio::test]
async fn f01_f02_a_secret_is_rotated() {
    no_fault_matters(workloads::rotate()).await;
}

#[tokio::test]
async fn f01_f02_a_secret_is_rotated_after_a_leak() {
    no_fault_matters(workloads::rotate_after_a_leak()).await;
}

#[tokio::test]
async fn f01_f04_a_rotation_is_asked_for_twice_at_once() {
    no_fault_matters(workloads::rotate_quickly()).await;
}

#[tokio::test]
async fn f01_f33_a_rotated_secret_is_lost() {
    no_fault_matters(workloads::rotate_and_lose()).await;
}

#[tokio::test]
async fn f01_f89_the_root_key_is_rotated() {
    no_fault_matters(workloads::rotate_the_root_key()).await;
}

#[tokio::test]
async fn f01_f89_the_root_key_is_withdrawn() {
    no_fault_matters(workloads::withdraw_the_root_key()).await;
}

#[tokio::test]
async fn f01_f09_a_person_comes_changes_and_goes() {
    no_fault_matters(workloads::have_a_person()).await;
}
