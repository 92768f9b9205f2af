public import ComposeModel
import Foundation
import Postgres

/// A request for an existing compose to live longer, or to be made again, perhaps with other inputs.
/// Members that are `nil` stay as they are.
public struct Renewal: Sendable {
    public var secondsToLive: Int?
    public var label: String?
    public var sigkeys: [String]?
    public var builds: [String]?
    public var modules: [String]?

    public init(
        secondsToLive: Int? = nil, label: String? = nil, sigkeys: [String]? = nil, builds: [String]? = nil, modules: [String]? = nil
    ) {
        self.secondsToLive = secondsToLive
        self.label = label
        self.sigkeys = sigkeys
        self.builds = builds
        self.modules = modules
    }

    /// Returns the request of the renewed compose.
    public func applied(to original: ComposeRequest) -> ComposeRequest {
        var request = original
        if let secondsToLive { request.secondsToLive = secondsToLive }
        if let label { request.label = label }
        if let sigkeys { request.sigkeys = sigkeys }
        if let builds { request.builds = builds }
        if let modules { request.modules = modules }
        // With other inputs, the packages need not be those of the lock file any more.
        if sigkeys != nil && sigkeys != original.sigkeys || builds != nil && builds != original.builds
            || modules != nil && modules != original.modules
        {
            request.lock = nil
        }
        return request
    }

    /// Returns whether the renewal changes anything besides the time to live.
    func changesInputs(of request: ComposeRequest) -> Bool {
        var renewed = applied(to: request)
        renewed.secondsToLive = request.secondsToLive
        return renewed != request
    }
}

/// The outcome of a renewal.
public enum RenewOutcome: Sendable {
    /// The same compose, with an expiry that is no earlier than requested.
    case extended(Compose)
    /// A new compose in state `wait`, with the inputs and pins of the old one.
    case created(Compose)
    /// The compose is `wait` or `generating`, so there is nothing to renew yet.
    case underWay(ComposeState)
}

extension ComposeStore {
    /// Extends the life of a compose, together with all composes that show the same result. If its files
    /// are gone or its inputs change, a new compose is made instead.
    ///
    /// - Parameters:
    ///   - limit: The number of composes that may wait for the caller, including a new one, or `nil` for
    ///     any number.
    ///   - limits: The limits of the owner of a new compose, if that is one account.
    ///   - resubmission: The way to recognize an earlier, equal request. If there is one, the compose that
    ///     it made is the answer. `nil` if the request is always new.
    /// - Returns: `nil` if there is no such compose.
    /// - Throws: ``CallerLimitReached``, ``OwnerLimitReached``, ``ResubmissionKeyTaken``, `PostgresError`.
    public func renew(
        _ id: Int, _ renewal: Renewal, owner: String, limit: CallerLimit? = nil, limits: OwnerLimits? = nil,
        unless resubmission: Resubmission? = nil
    ) async throws -> RenewOutcome? {
        defer { newEvents.report() }
        return try await withFreeRows { connection in
            // Results are locked before composes, here and in the expirer. The expirer therefore cannot retire a
            // result that is extended here.
            _ = try await connection.query(
                "SELECT r.id FROM results r JOIN composes c ON c.result_id = r.id WHERE c.id = \(id) FOR UPDATE OF r NOWAIT")
            guard
                let old = try await connection.query(
                    "SELECT \(fragment: Compose.columns) FROM composes c WHERE c.id = \(id) FOR UPDATE NOWAIT"
                ).first.map(Compose.init)
            else { return nil }
            switch old.state {
            case .wait, .generating:
                return .underWay(old.state)
            case .removed, .failed:
                let new = NewCompose(renewal.applied(to: old.request), owner: owner, renewedFrom: old, limit: limit, limits: limits)
                return .created(try await insert(new, unless: resubmission, on: connection))
            case .done where renewal.changesInputs(of: old.request):
                let new = NewCompose(renewal.applied(to: old.request), owner: owner, renewedFrom: old, limit: limit, limits: limits)
                return .created(try await insert(new, unless: resubmission, on: connection))
            case .done:
                try await extend(old.resultOf, by: Double(renewal.secondsToLive ?? old.request.secondsToLive), on: connection)
                // A compose that a person has just removed, and that still exists, is needed again.
                if old.removedBy != nil { _ = try await connection.query("UPDATE composes SET removed_by = NULL WHERE id = \(id)") }
                let rows = try await connection.query("SELECT \(fragment: Compose.columns) FROM composes c WHERE c.id = \(id)")
                return .extended(try Compose(rows[rows.startIndex]))
            }
        }
    }
}
