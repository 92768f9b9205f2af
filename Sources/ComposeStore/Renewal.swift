public import ComposeModel
import Foundation
import Postgres

/// What a person wants of a compose that exists: that it live longer, or once more, perhaps with other inputs.
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

    /// The inputs of the renewed compose.
    func applied(to request: ComposeRequest) -> ComposeRequest {
        var request = request
        if let secondsToLive { request.secondsToLive = secondsToLive }
        if let label { request.label = label }
        if let sigkeys { request.sigkeys = sigkeys }
        if let builds { request.builds = builds }
        if let modules { request.modules = modules }
        return request
    }

    func changesInputs(of request: ComposeRequest) -> Bool {
        var renewed = applied(to: request)
        renewed.secondsToLive = request.secondsToLive
        return renewed != request
    }
}

public enum RenewOutcome: Sendable {
    /// The same compose, which now expires no earlier than asked.
    case extended(Compose)
    /// A new compose with the old one's inputs and pins, in state `wait`.
    case created(Compose)
    /// It is `wait` or `generating`: there is nothing to renew yet.
    case underWay(ComposeState)
}

extension ComposeStore {
    /// Extends the life of a compose, and of all that show the same result, or makes it anew where its files are gone or its inputs change.
    ///
    /// - Parameters:
    ///   - limit: How many composes may wait for the caller, a new one included; `nil`: any number.
    ///   - resubmission: Tells whether the request made a new compose before, which is then the answer; `nil`: it did not.
    /// - Returns: `nil` where there is no such compose.
    /// - Throws: ``CallerLimitReached``, ``ResubmissionKeyTaken``, `PostgresError`.
    public func renew(
        _ id: Int, _ renewal: Renewal, owner: String, limit: CallerLimit? = nil, unless resubmission: Resubmission? = nil
    ) async throws -> RenewOutcome? {
        try await withFreeRows { connection in
            // Results are locked before composes, here as in the expirer, which so cannot retire what is extended.
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
                let new = NewCompose(renewal.applied(to: old.request), owner: owner, renewedFrom: old, limit: limit)
                return .created(try await insert(new, unless: resubmission, on: connection))
            case .done where renewal.changesInputs(of: old.request):
                let new = NewCompose(renewal.applied(to: old.request), owner: owner, renewedFrom: old, limit: limit)
                return .created(try await insert(new, unless: resubmission, on: connection))
            case .done:
                try await extend(old.resultOf, by: Double(renewal.secondsToLive ?? old.request.secondsToLive), on: connection)
                // One that a person has just removed, and that is there still, is wanted again.
                if old.removedBy != nil { _ = try await connection.query("UPDATE composes SET removed_by = NULL WHERE id = \(id)") }
                let rows = try await connection.query("SELECT \(fragment: Compose.columns) FROM composes c WHERE c.id = \(id)")
                return .extended(try Compose(rows[rows.startIndex]))
            }
        }
    }
}
