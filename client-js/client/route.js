/** direct or relay, by the pair of candidates in use. */
export async function routeOf(connection) {
  const report = await connection.getStats();
  const stats = [...report.values()];
  const { selectedCandidatePairId } = stats.find((one) => one.selectedCandidatePairId) ?? {};
  const pair = report.get(selectedCandidatePairId)
    ?? stats.find(({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded');
  if (!pair) return null;
  const isRelay = [pair.localCandidateId, pair.remoteCandidateId].some((id) => report.get(id)?.candidateType === 'relay');
  return isRelay ? 'relay' : 'direct';
}
