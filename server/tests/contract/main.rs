//! The contract of a store: the answers and events that every back end must produce, one list of cases
//! for all of them.
//!
//! A case is a function over a [`Harness`]: a fresh store with helpers. After each case the harness checks the log, the
//! pages and the feed of every instance.

mod back_end;
mod harness;

mod agenda;
mod archive;
mod concurrency;
mod connections;
mod editing;
mod ending;
mod feed;
mod joining;
mod limits;
mod model;
mod moderation;
mod overview;
mod paging;
mod people;
mod planning;
mod posting;
mod presence;
mod reading;
mod schedule;
mod searching;
mod sign_in;
mod unread;
mod waiting;

use harness::Harness;

/// Every case, for one back end.
macro_rules! contract {
    ($name:ident: $begin:path) => {
        mod $name {
            cases! { $begin;
                joining {
                    permissions_while_active
                    permissions_before_and_after
                    permissions_after_end_before_close
                    stay_lasts_from_join_to_leave
                    audience_changed_in_sql_applies_after_sweep
                    invited_address_ignores_case
                }
                posting {
                    post_with_same_cmid_creates_one_message
                    retry_after_end_returns_its_seq
                    concurrent_posts_with_same_cmid_create_one_message
                    text_is_stored_unchanged
                }
                limits {
                    posts_above_the_burst_are_refused_with_the_wait
                    refused_post_is_accepted_after_its_wait
                    racing_posts_take_exactly_the_burst
                    account_limit_counts_all_instances
                    changes_and_announcements_count_as_posts
                    joins_are_limited_and_leaves_are_not
                    leaves_and_ends_commit_below_the_disk_reserve
                }
                concurrency {
                    concurrent_joins_of_one_user_create_one_stay
                    joins_of_200_users_create_one_stay_each
                    concurrent_posts_have_one_order
                    joins_leaves_posts_archiving_and_end_run_concurrently
                    join_of_full_meeting_is_rejected
                }
                connections {
                    lost_connection_ends_stay_at_time_of_loss
                    quit_ends_the_stay_at_once_unless_another_connection_holds_it
                    suspended_client_leaves_at_the_time_of_the_loss
                    stay_of_two_connections_ends_with_the_last
                    reconnect_within_grace_keeps_the_stay
                    late_loss_of_old_connection_keeps_new_stay
                    stay_without_connection_survives_lost_connections
                    connection_holds_a_stay_in_each_instance
                    users_of_dead_server_leave_when_its_lease_expires
                    users_of_dead_server_leave_at_its_last_sign_of_life
                    stalled_server_keeps_its_users_within_grace
                    silent_user_leaves_at_last_sign_of_life
                    many_lost_at_once_all_leave
                    lost_user_leaves_at_the_end
                    loss_of_unknown_connection_is_ignored
                }
                presence {
                    user_without_connections_is_reconnecting
                    user_who_joins_again_after_grace_is_here
                    users_of_dead_server_are_reconnecting
                    user_with_only_idle_terminals_is_idle
                    absent_users_are_listed
                }
                waiting {
                    waiting_users_are_visible
                    waiting_needs_read_permission
                    wait_for_started_instance_is_rejected
                }
                editing {
                    edit_replaces_the_text
                    deleted_message_has_no_text
                    change_of_others_message_is_rejected
                    edit_with_same_cmid_is_applied_once
                    archived_message_can_be_changed
                    racing_edits_leave_one_last_text
                    reply_names_a_message
                }
                searching {
                    words_are_found_in_every_instance
                    search_finds_only_readable_messages
                    filters_restrict_user_instance_and_time
                    edited_message_is_found_by_its_current_text
                    texts_in_every_script_are_found
                    sender_is_found_in_every_script
                    word_is_found_whatever_its_length
                    many_results_are_found_in_pages
                }
                unread {
                    read_position_only_grows
                    messages_of_others_are_counted
                    mentions_are_counted
                    typing_is_published_and_not_stored
                    read_positions_reach_other_servers
                }
                ending {
                    everybody_leaves_at_the_end_and_steps_are_idempotent
                    closed_instance_is_closed_again_after_loss
                    racing_ends_end_it_once
                    everybody_leaves_at_todatetime
                    early_steps_do_nothing
                    events_acknowledged_during_end_precede_it
                    end_completes_after_live_state_was_lost
                    ended_instance_can_be_read
                    instance_that_ended_early_is_listed_with_its_real_end
                }
                moderation {
                    extended_end_is_the_same_for_everybody
                    extended_instance_continues_after_first_end
                    lock_keeps_participants
                    post_in_read_only_meeting_is_rejected
                    muted_user_cannot_write_until_unmuted
                    removed_user_is_out_everywhere
                    restrictions_survive_loss_of_live_state
                    admin_ends_it_at_once
                    early_end_completes_after_live_state_was_lost
                    extend_end_and_clock_race_to_one_outcome
                    restrictions_can_be_read
                    open_tells_what_is_restricted_for_the_reader
                }
                overview {
                    figures_agree_with_the_log_after_many_events
                    detail_shows_reconnecting_users
                    detail_contains_stays_and_connections
                    upcoming_and_ended_instances_are_listed
                }
                agenda {
                    agenda_lists_due_and_upcoming_instances
                    concurrent_starts_start_once
                    start_before_its_time_is_rejected
                    missed_instance_is_opened_and_closed_empty
                }
                archive {
                    durable_reaches_the_last_seq_and_is_announced
                    many_events_are_archived_by_concurrent_servers
                    inactive_instance_has_nothing_to_archive
                    sweep_of_healthy_state_changes_nothing
                    lost_live_state_is_restored
                    lost_unarchived_events_leave_nothing
                }
                paging {
                    pages_of_a_live_log_are_exact
                    pages_of_an_ended_log_are_exact
                    pages_across_live_and_archived_are_exact
                    pages_of_an_archived_log_are_exact
                    open_contains_the_last_events
                    backfill_continues_from_any_seq
                    messages_are_found_behind_many_joins_and_leaves
                }
                reading {
                    users_see_what_they_may_join
                    list_shows_participant_count_and_own_join_time
                    participants_have_their_profiles
                    open_contains_the_log_position
                    open_before_start_is_empty
                }
                people {
                    email_is_unique
                    account_lookup_ignores_case
                    account_lookup_ignores_normal_form
                    password_can_be_set_repeatedly
                    users_are_listed_in_pages
                    added_user_is_read_back
                }
                planning {
                    meeting_change_applies_to_live_instance
                    audience_changed_by_admin_applies_at_once
                    last_change_of_a_meeting_wins
                    meeting_changed_during_start_is_current_after_start
                    scheduled_instance_can_be_moved_and_cancelled
                    move_cancel_and_start_race_to_one_outcome
                    overlaps_for_the_same_people_are_reported
                }
                schedule {
                    invalid_times_are_rejected
                    concurrent_schedules_get_different_orders
                    meetings_are_listed_in_pages
                }
                sign_in {
                    session_is_valid_until_it_expires
                    closed_session_is_closed_on_every_server
                    user_changed_in_sql_is_noticed
                    same_token_opens_one_session
                    disabled_user_has_no_session
                    sessions_are_listed_and_ended
                    role_applies_from_the_next_request
                    password_change_ends_the_other_sessions
                    enabling_an_enabled_user_has_no_effect
                }
                feed {
                    only_followed_instances_are_fed
                    events_of_another_server_are_fed
                    list_change_is_announced
                    store_has_one_feed
                }
            }
        }
    };
}

/// One test for each case.
macro_rules! cases {
    ($begin:path; $($room:ident { $($case:ident)+ })+) => {
        $(mod $room { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let mut harness = crate::Harness::on($begin().await).await;
                crate::$room::$case(&mut harness).await;
                harness.check().await;
            }
        )+ })+
    };
}

contract!(redis_mysql: crate::back_end::redis_mysql);
contract!(sqlite: crate::back_end::sqlite);
