//! The contract of a store: what every back end must answer and emit, one list of cases for all.
//!
//! A case is a function over a [`World`]: a fresh store and what tells about it. After each case the
//! world looks at every instance's log, pages and feed, whatever the case was about.

mod back_end;
mod world;

mod agenda;
mod archive;
mod changing;
mod connections;
mod crowd;
mod ending;
mod feeding;
mod finding;
mod joining;
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
mod sign_in;
mod unread;
mod waiting;

use world::World;

/// Every case, for one back end.
macro_rules! contract {
    ($name:ident: $begin:path) => {
        mod $name {
            cases! { $begin;
                joining {
                    who_may_what_while_it_is_active
                    who_may_what_before_and_after
                    who_may_what_when_time_is_up_and_nobody_has_closed_it
                    a_stay_is_from_joining_to_leaving
                    an_audience_that_somebody_changes_counts_from_the_next_sweep
                    an_address_is_invited_in_any_case
                }
                posting {
                    a_cmid_is_said_once_whatever_happens
                    a_retry_when_time_is_up_gets_its_seq
                    one_cmid_of_many_callers_at_once_is_one_message
                    every_text_is_kept_as_it_was_written
                }
                crowd {
                    one_person_who_joins_200_times_at_once_is_in_once
                    of_200_people_who_join_at_once_each_is_in_once
                    posts_of_50_people_at_once_have_one_order
                    coming_going_talking_archiving_and_the_end_at_once
                    a_meeting_takes_so_many_and_no_more
                }
                connections {
                    a_lost_connection_ends_the_stay_at_the_time_of_the_loss
                    a_stay_of_two_connections_ends_with_the_last
                    whoever_comes_back_within_the_grace_stays
                    a_late_loss_of_an_old_connection_does_not_end_a_new_stay
                    a_stay_without_a_connection_survives_connections
                    a_connection_in_several_instances_holds_each
                    a_dead_servers_people_leave_when_its_lease_ended
                    a_dead_servers_people_leave_at_its_last_sign_of_life
                    a_server_that_was_taken_for_dead_keeps_its_people_within_the_grace
                    whoever_fell_silent_leaves_at_the_time_of_their_last_sign_of_life
                    many_who_are_lost_at_once_all_leave
                    whoever_was_lost_at_the_end_leaves_with_everybody
                    losing_what_is_not_there_is_no_fault
                }
                presence {
                    whoever_has_lost_every_connection_is_reconnecting
                    who_comes_back_after_the_grace_is_here
                    the_people_of_a_dead_server_are_reconnecting
                    whoever_uses_no_terminal_is_idle
                    who_is_invited_and_has_not_been_in_is_known
                }
                waiting {
                    whoever_waits_is_known_to_whoever_looks
                    who_may_wait_is_who_may_read
                    nobody_waits_for_what_has_begun
                }
                changing {
                    an_edit_replaces_what_was_said
                    what_is_deleted_says_nothing_any_more
                    only_ones_own_messages_are_changed
                    a_change_is_made_once_for_each_cmid
                    what_is_live_no_more_is_changed_all_the_same
                    changes_that_race_leave_one_last_word
                    an_answer_names_a_message
                }
                finding {
                    words_are_found_wherever_they_were_said
                    only_what_one_may_read_is_found
                    filters_say_whose_where_and_when
                    what_was_changed_is_found_as_it_is
                    every_script_and_sign_is_found
                    much_is_found_page_by_page
                }
                unread {
                    a_position_goes_forwards_only
                    what_others_said_is_counted
                    what_speaks_of_somebody_is_counted
                    somebody_who_writes_is_told_and_not_kept
                    what_is_read_is_told_to_other_servers
                }
                ending {
                    everybody_leaves_at_the_end_and_every_step_may_be_taken_twice
                    what_was_closed_and_forgotten_is_closed_again
                    two_callers_who_race_end_it_once
                    by_the_clock_everybody_leaves_at_todatetime
                    steps_that_come_too_early_do_nothing
                    what_is_acknowledged_while_it_ends_is_before_its_end
                    an_end_goes_on_when_what_is_live_was_forgotten
                    what_has_ended_can_be_read
                }
                moderation {
                    an_end_that_is_moved_is_the_same_for_everybody
                    what_is_extended_goes_on_beyond_its_first_end
                    whoever_is_in_stays_in_when_it_is_locked
                    nobody_speaks_in_what_is_read_only
                    who_is_muted_says_nothing_until_they_are_unmuted
                    who_is_removed_is_out_by_every_way
                    what_admins_did_holds_after_everything_is_forgotten
                    an_admin_ends_it_at_once
                    an_early_end_goes_on_when_what_is_live_was_forgotten
                    extending_ending_and_the_clock_race_to_one_outcome
                    what_holds_can_be_asked
                }
                overview {
                    figures_agree_with_the_log_after_a_storm
                    whoever_lost_every_connection_is_reconnecting
                    who_came_and_who_holds_which_stay_is_told
                    what_comes_soon_and_what_is_over_is_listed
                }
                agenda {
                    the_agenda_has_what_is_due_and_what_is_within_the_horizon
                    of_many_who_start_it_one_does
                    nothing_starts_before_its_time
                    what_was_missed_is_opened_and_closed_empty
                }
                archive {
                    durable_reaches_the_last_seq_and_is_said
                    much_is_archived_whole_by_whoever_comes
                    what_is_not_live_has_nothing_to_archive
                    a_sweep_of_what_is_well_changes_nothing
                    what_is_live_and_was_forgotten_comes_back
                    what_was_not_archived_and_was_forgotten_leaves_nothing
                }
                paging {
                    pages_of_a_live_log_are_exact
                    pages_of_an_ended_log_are_exact
                    pages_across_the_border_of_live_and_archived_are_exact
                    pages_of_a_log_of_which_nothing_is_live_are_exact
                    an_open_has_the_last_events
                    the_hub_reads_on_from_anywhere
                    messages_are_found_behind_many_comings_and_goings
                }
                reading {
                    everybody_sees_what_they_may_join
                    a_list_shows_how_many_are_in_and_since_when_one_is
                    participants_are_shown_as_they_are_known
                    an_open_says_where_the_log_is
                    what_is_not_begun_can_be_opened_and_is_empty
                }
                people {
                    an_address_is_one_persons
                    an_account_is_found_in_any_case
                    a_password_is_set_again_and_again
                    all_people_are_listed_page_by_page
                    a_person_is_kept_as_they_were_added
                }
                planning {
                    what_is_changed_of_a_meeting_is_so_where_it_is_live
                    an_audience_that_admins_change_counts_at_once
                    the_last_change_of_a_meeting_holds
                    what_begins_while_it_is_changed_is_as_it_was_changed
                    what_has_not_begun_is_moved_and_cancelled
                    moving_cancelling_and_the_start_race_to_one_outcome
                    what_overlaps_for_the_same_people_is_known
                }
                schedule {
                    only_a_time_that_can_be_is_scheduled
                    orders_of_many_callers_at_once_are_one_row
                    all_meetings_are_listed_page_by_page
                }
                sign_in {
                    a_session_is_good_until_it_expires
                    a_closed_session_is_closed_for_everybody
                    what_somebody_changes_of_a_person_is_seen
                    the_same_token_opened_again_is_one_session
                    whoever_is_shut_out_has_no_session_anywhere
                    sessions_are_listed_and_ended
                    a_role_counts_from_the_next_request_on
                }
                feeding {
                    only_what_is_followed_is_fed
                    what_another_server_does_is_fed
                    a_changed_list_is_said
                    a_store_has_one_feed
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
                let mut world = crate::World::on($begin().await).await;
                crate::$room::$case(&mut world).await;
                world.check().await;
            }
        )+ })+
    };
}

contract!(hybrid: crate::back_end::hybrid);
contract!(sqlite: crate::back_end::sqlite);
