/** The broker: channels, sessions, routing and discovery, without HTTP. */
@NullMarked
package io.peerbroker.core;

/* The rooms, in the order in which to read them. A class uses its own room and those above it.
 *
 * values     what is passed around:
 *            Json JsonGson JsonScanner JsonStrings Message Tags TagSet TagFilter ParsedFilter Scope
 *            ListedSession ListPosition SessionSpec SessionUpdate SessionState SessionRef
 *            SessionChange Page PageReader IceServer IceConfiguration Request Answer Event Envelope
 *            CloseReason Delivery Refusal RefusedException ResumeId Ids ChannelOptions Caller LoggedIn
 *            TrustedCaller BrokerStats ChannelState CheckReturnValue Release
 * bounds     what there may be at most, and what is said beyond it:
 *            Limits ByteBudget Budgets ChangeBudget Permits TokenBucket Refusals
 * index      what finds sessions by number and by tag:
 *            Numbered Postings DeltaVarints SessionTable TagIndex ListEntry ListPart ListParts
 *            HeldSessions PageCursors CreationClock Node
 * parties    what others see of the broker, and what it sees of them:
 *            Channel Session Watch Watcher Receiver Attachment Transport Router BrokerListener
 * notifying  when, and on which thread, foreign code is called:
 *            Threads WorkerPool Timer ForeignCalls AccessPolicy GuardedPolicy Visibility Counters
 *            IceServers GuardedIceServers TimeLimitedIceServers Listeners Lifecycle WakeThrottle
 *            ExpiryQueue
 * delivery   what waits for readers, and their streams:
 *            AbstractAttachment AbsentQueues Outbox QueuedEvents QueuedEvent ChangeFeed ChangeLog
 *            ReceiverTransport Receivers WaitingChannels OpenStreams OpenAsks LastAnswer ListEnds
 *            ChannelWatches StreamTurns
 * model      the channels, sessions and watches that there are:
 *            LocalSession ListSearch ListWalk ChannelConnection LocalChannel LocalWatch WatchIndex
 *            SessionList ForeignSessions Directory LocalRouter ChannelMoves
 * broker     what puts the parts together, and who may do what:
 *            LocalBroker AuthorizedBroker AuthorizedChannel AuthorizedSession AuthorizedWatch Broker
 *            BrokerBuilder Gateway LocalGateway MessageBatch ReturningWatch
 */

import org.jspecify.annotations.NullMarked;
