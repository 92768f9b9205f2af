import ForeignText
import Foundation
public import Identity
public import Logging
public import NIOPosix
import Synchronization

/// A group directory knows the groups of people from an LDAP server. It remembers them for a while.
///
/// If the server is away, known groups count for one hour more. A person whose groups are not known is
/// told to come back later: without its groups, a person would be refused for good.
public actor GroupDirectory {
    /// The time for which groups are used longer if the server is away.
    static let grace = Duration.seconds(3600)
    /// The time for which a server that is away is not asked again.
    static let pause = Duration.seconds(5)
    /// The number of people whose groups are remembered.
    static let mostPeople = 10_000

    /// An outage is the time after a failure in which the server is not asked again.
    private final class Outage: Sendable {
        private let start = Mutex<ContinuousClock.Instant?>(nil)

        func begin(at time: ContinuousClock.Instant) { start.withLock { $0 = time } }
        func end() { start.withLock { $0 = nil } }

        func lasts(at time: ContinuousClock.Instant) -> Bool {
            start.withLock { start in start.map { time - $0 < GroupDirectory.pause } ?? false }
        }
    }

    /// The error for a search that has waited for a thread while another one found that the server is away.
    private struct WaitedInVain: Error {}

    private struct Known {
        let groups: Set<String>
        let time: ContinuousClock.Instant
    }

    private let settings: DirectorySettings
    private let threadPool: NIOThreadPool
    private let logger: Logger
    private let pace: LogPace
    private let now: @Sendable () -> ContinuousClock.Instant
    private var known: [AccountName: Known] = [:]
    /// The searches that run now. Requests of the same person share one.
    private var running: [AccountName: Task<Set<String>, any Error>] = [:]
    private let outage = Outage()

    /// - Parameters:
    ///   - threadPool: A pool of its own, because libldap blocks. Two threads suffice.
    ///   - now: The clock, for tests.
    public init(
        _ settings: DirectorySettings, threadPool: NIOThreadPool, logger: Logger, pace: LogPace = LogPace(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.settings = settings
        self.threadPool = threadPool
        self.logger = logger
        self.pace = pace
        self.now = now
    }

    /// Returns the groups of a person.
    ///
    /// - Throws: ``CredentialFailure/unavailable(_:retryAfter:)`` if they cannot be found out now.
    public func groups(of account: AccountName) async throws(CredentialFailure) -> Set<String> {
        guard Self.isSearchable(account.text) else { return [] }
        if let known = known[account], now() - known.time < settings.cacheTime { return known.groups }
        if outage.lasts(at: now()) { return try remembered(account) }
        let search = running[account] ?? search(for: account)
        running[account] = search
        switch await search.result {
        case .success(let groups):
            return groups
        case .failure(let error):
            if !(error is WaitedInVain), let passedOver = pace.next("directory") {
                logger.warning(
                    "the groups of a person could not be read from the directory",
                    metadata: [
                        "directory": "\(settings.address)", "reason": "\("\(error)".printable(most: 500))", "passed_over": "\(passedOver)",
                    ])
            }
            return try remembered(account)
        }
    }

    private func search(for account: AccountName) -> Task<Set<String>, any Error> {
        Task {
            let outcome: Result<Set<String>, any Error>
            do {
                outcome = .success(
                    try await threadPool.runIfActive { [settings, outage, now] in
                        // Searches that waited for a thread need not find out again that the server is away.
                        guard !outage.lasts(at: now()) else { throw WaitedInVain() }
                        do throws(LDAPProblem) {
                            let connection = try LDAPConnection(settings)
                            var groups: Set<String> = []
                            for search in settings.searches {
                                groups.formUnion(try connection.groups(of: account.text, search, patience: settings.patience))
                            }
                            outage.end()
                            return groups
                        } catch {
                            if error.isOutage { outage.begin(at: now()) }
                            throw error
                        }
                    })
            } catch {
                outcome = .failure(error)
            }
            running[account] = nil
            if case .success(let groups) = outcome { remember(groups, of: account) }
            return try outcome.get()
        }
    }

    private func remember(_ groups: Set<String>, of account: AccountName) {
        let time = now()
        if known.count >= Self.mostPeople {
            known = known.filter { time - $0.value.time < settings.cacheTime }
            if known.count >= Self.mostPeople { known = [:] }
        }
        known[account] = Known(groups: groups, time: time)
    }

    private func remembered(_ account: AccountName) throws(CredentialFailure) -> Set<String> {
        if let known = known[account], now() - known.time < settings.cacheTime + Self.grace { return known.groups }
        throw .unavailable("The service cannot ask the directory for your groups now.", retryAfter: 30)
    }

    /// Returns whether a directory cannot mistake a name for another one. LDAP compares many attributes
    /// after a normalization: it would give the name `ｊｏｅ` in wide letters the groups of `joe`.
    private static func isSearchable(_ name: String) -> Bool {
        name.isVisibleASCII || name.precomposedStringWithCompatibilityMapping.hasSameBytes(as: name)
    }
}
