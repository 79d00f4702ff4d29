//! What a comment is.

use crate::access::UserId;
use crate::campaigns::rules::{PlanId, TaskId};
use crate::db::{Id, Instant, text_enum};

/// Marks the identifier of a comment.
#[derive(Debug)]
pub struct CommentEntity;
/// The identifier of a comment.
pub type CommentId = Id<CommentEntity>;

text_enum! {
    /// What can be done with a comment.
    CommentAction as "comment_action" {
        Resolve = "resolve", "标为已处理", "Resolve", green;
    }
}

/// What somebody says of a plan, or of one of its tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its identifier.
    pub id: CommentId,
    /// The plan.
    pub plan_id: PlanId,
    /// The version it speaks of.
    pub number: i32,
    /// The task; none when it speaks of the whole.
    pub task_id: Option<TaskId>,
    /// What the task was called then.
    pub task_title: Option<String>,
    /// What is said.
    pub content: String,
    /// By whom.
    pub author_id: UserId,
    /// When it was dealt with.
    pub resolved_at: Option<Instant>,
    /// By whom.
    pub resolved_by: Option<UserId>,
    /// Counts up with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Comment {
    /// Whether it says this of that plan or task, made by this person: what is sent again is a retry.
    #[must_use]
    pub fn says(&self, plan: PlanId, task: Option<TaskId>, content: &str, author: UserId) -> bool {
        (self.plan_id, self.task_id, self.content.as_str(), self.author_id) == (plan, task, content, author)
    }
}
