package io.peerbroker.core;

import java.util.Map;

/**
 * What a broker holds now, and what it has done since it was made: {@link Broker#stats()}.
 *
 * <p>The figures are read one after another while the broker goes on, so a sum may be off by what
 * happens meanwhile. When nothing happens they agree with each other and with what a {@link
 * BrokerListener} has been told: {@code channels} is {@code channelsOpened} less all of {@code
 * channelsClosed}, and so on for sessions and watches. The first nine go up and down; all others
 * only grow. The maps have every key of their enum, with 0 for what has not occurred, and are
 * unmodifiable.
 *
 * @param channels how many channels are open, those that wait for their reader among them; at most
 *     {@link Limits#maxChannels()}
 * @param waiting how many of these wait for their reader to come back
 * @param sessions how many sessions there are
 * @param listed how many of these lists show
 * @param watches how many watches are watched; at most {@link Limits#maxWatches()}
 * @param streams how many streams have not ended: of channels, of watches, and those that have
 *     given way to another and not ended yet. Receivers and watchers in this JVM count as one each
 * @param queuedBytes how many bytes wait in all channels, what is kept to be given again among
 *     them; at most {@link Limits#maxTotalQueuedBytes()}
 * @param sessionBytes about how many bytes all sessions take, with their tags and metadata; at most
 *     {@link Limits#maxTotalSessionBytes()}
 * @param watchBytes about how many bytes watches hold: changes that wait to be told, and what was
 *     told where the application has a say in it; reservations stay within {@link
 *     Limits#maxTotalWatchBytes()}, and changes beyond it end the lists that are behind
 * @param channelsOpened how many channels have been opened
 * @param channelsClosed how many have closed, by reason
 * @param channelsInterrupted how often a channel's stream broke and the channel waited for its
 *     reader
 * @param channelsResumed how often a reader has come back; less than the interruptions by those who
 *     are {@code waiting} and those who did not come
 * @param sessionsOpened how many sessions have been created
 * @param sessionsUpdated how often one has changed
 * @param sessionsClosed how many have ended
 * @param watchesOpened how many watches have been opened
 * @param watchesClosed how many have ended, by reason; {@link CloseReason#OVERFLOW} says who did
 *     not keep up
 * @param messagesSent how many messages channels of this broker have sent that were answered {@link
 *     Delivery.Sent}
 * @param messagesQueued how many were answered {@link Delivery.Queued}
 * @param messagesUndelivered how many of the queued were not delivered, since their target did not
 *     come back
 * @param messagesRefused how many were answered {@link Delivery.Refused}, by code
 * @param callsRefused how many other calls were, by throwing {@link RefusedException}, by code.
 *     What an adapter refuses before it asks the broker (a body that is no JSON, a message that is
 *     too large) is not among them
 */
public record BrokerStats(
    int channels,
    int waiting,
    int sessions,
    int listed,
    int watches,
    int streams,
    long queuedBytes,
    long sessionBytes,
    long watchBytes,
    long channelsOpened,
    Map<CloseReason, Long> channelsClosed,
    long channelsInterrupted,
    long channelsResumed,
    long sessionsOpened,
    long sessionsUpdated,
    long sessionsClosed,
    long watchesOpened,
    Map<CloseReason, Long> watchesClosed,
    long messagesSent,
    long messagesQueued,
    long messagesUndelivered,
    Map<Refusal.Code, Long> messagesRefused,
    Map<Refusal.Code, Long> callsRefused) {

  public BrokerStats {
    channelsClosed = Map.copyOf(channelsClosed);
    watchesClosed = Map.copyOf(watchesClosed);
    messagesRefused = Map.copyOf(messagesRefused);
    callsRefused = Map.copyOf(callsRefused);
  }
}
