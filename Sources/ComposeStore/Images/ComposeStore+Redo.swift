public import ImageModel
import Postgres
import Retries

extension ComposeStore {
    /// Returns platforms of a build to the queue, because the registry does not have their images any more.
    /// The manifest list waits for them again. For each of the platforms, this counts as an attempt that
    /// failed.
    ///
    /// - Parameters:
    ///   - lease: The lease of the manifest list. It ends.
    ///   - failure: The failure of the build if one of the platforms has no attempt left.
    public func redo(
        _ images: [Platform: ImageDigest], before lease: StepLease, orFail failure: BuildFailure, retries: RetryPolicy
    ) async throws -> FailureOutcome {
        try await changingBuilds { connection in
            guard try await failures(under: lease, on: connection) != nil else { return .leaseLost }
            let platforms = images.keys.sorted()
            let rows = try await connection.query(
                """
                SELECT coalesce(max(failures), 0) AS failures FROM build_steps
                WHERE build_id = \(lease.step.build) AND platform = ANY(\(platforms.map(\.description)))
                """)
            let failures = try rows[rows.startIndex].decode(Int.self, "failures")
            guard failures + 1 < retries.attempts else {
                try await close(lease, as: "failed", on: connection)
                try await end(lease.step.id, with: failure, on: connection)
                return .failed
            }
            let delay = retries.backoff.pause(after: failures + 1)
            // The list is locked already. Platforms that are done have no other transaction that locks them.
            let redone = try await connection.query(
                """
                UPDATE build_steps s SET state = 0, digest = NULL, failures = s.failures + 1,
                    available_at = now() + \(fragment: interval(delay)),
                    state_reason = 'Its image, ' || s.digest || ', was deleted from the registry before the manifest list was written. '
                        || 'It is pushed again.'
                FROM unnest(\(platforms.map(\.description)), \(platforms.compactMap { images[$0]?.description })) AS gone (platform, digest)
                WHERE s.build_id = \(lease.step.build) AND s.platform = gone.platform AND s.digest = gone.digest AND s.state = 2
                """)
            _ = try await connection.query(
                """
                UPDATE build_steps SET state = 0, blocked_by = \(redone.affectedRows),
                    state_reason = \("It waits for \(platforms.map(\.description).joined(separator: ", ")) again."),
                    lease_token = NULL, lease_expires_at = NULL
                WHERE \(fragment: lease.guardCondition)
                """)
            try await close(lease, as: "retry", on: connection)
            return .retried(after: delay)
        }
    }
}
