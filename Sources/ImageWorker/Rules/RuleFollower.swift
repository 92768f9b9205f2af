import BackgroundWork
import ComposeModel
public import ComposeStore
import ComposeWorker
import Foundation
public import ImageModel
public import Logging
public import Postgres
public import Rebuilds
public import ServiceLifecycle

/// The *rule follower* asks for builds of images that rules name and that have older packages than a
/// watch or the images below them.
///
/// It compares levels: the packages of images with those that they could have now. So a worker that was
/// away misses nothing, the same event twice finds nothing to do, and an image that has the packages is
/// not built again. An image whose builds do not help is tried a bounded number of times
/// (``RuleTries``).
///
/// Every worker that builds images has one. A rule is leased while it is looked at.
public struct RuleFollower: Service {
    let store: ComposeStore
    let plans: RebuildPlans
    let listener: PostgresListener
    let channel: String
    let interval: Duration
    let pollInterval: Duration
    let bounds: RuleTries.Bounds
    let logger: Logger

    /// The time after which another worker looks, if this one was lost.
    private static let lease = Duration.seconds(120)

    /// - Parameters:
    ///   - interval: The time between two looks for a rule if nothing changes (`images.contents_seconds`).
    ///   - pollInterval: The time between two questions whether a look is due, if no notification arrives.
    public init(
        store: ComposeStore, plans: RebuildPlans, listener: PostgresListener, channel: String, every interval: Duration,
        pollInterval: Duration = .seconds(5), bounds: RuleTries.Bounds = RuleTries.Bounds(), logger: Logger
    ) {
        self.store = store
        self.plans = plans
        self.listener = listener
        self.channel = channel
        self.interval = interval
        self.pollInterval = min(interval, pollInterval)
        self.bounds = bounds
        self.logger = logger
    }

    public func run() async throws {
        await repeatedly(after: listener.notifications(on: channel, where: \.mayMakeLookDue), orEvery: pollInterval) {
            do {
                while try await lookOnce() {}
            } catch is CancellationError {
                // The worker stops. Another one looks when the lease expires.
            } catch {
                logger.workFailed("could not follow rules", error)
            }
        }
    }

    /// Looks for one rule.
    ///
    /// - Returns: Whether a look was due.
    func lookOnce() async throws -> Bool {
        guard let look = try await store.claimRule(for: Self.lease) else { return false }
        var logger = logger
        logger[metadataKey: "rule"] = "\(look.rule.id)"
        var problem: String?
        let selection = RebuildSelection(images: look.rule.images)
        let ids = Set(try await store.imageNames().filter { !selection.leavesOut($0.value) }.keys)
        do {
            if ids.isEmpty {
                problem = "No image has such a name."
            } else if look.rule.watch != nil {
                problem = givenUp(try await followWatch(look, logger))
            } else {
                problem = givenUp(try await followBases(of: ids, look, logger))
            }
        } catch let error as RebuildProblem {
            problem = error.description
        } catch let error as ComposeNotUsable {
            problem = error.description
        }
        if let problem, problem != look.rule.problem {
            logger.info("rule cannot be followed", metadata: ["reason": "\(problem)"])
        }
        try await store.finish(look, next: interval, problem: problem)
        return true
    }

    /// Asks for a rebuild with the latest compose of the watch.
    ///
    /// - Returns: The images that are older and given up.
    private func followWatch(_ look: RuleLook, _ logger: Logger) async throws -> [ImageRepository] {
        guard let id = look.compose, let compose = try await store.compose(id) else { return [] }
        let cause = RuleCause.compose(id)
        let tries = try await store.tries(because: [cause])[cause] ?? [:]
        let names = try await store.imageNames()
        let spent = tries.filter { $0.value.areSpent(bounds) }.compactMap { names[$0.key]?.description }.sorted()
        // Images on top of one that is left out are not built either.
        let selection = RebuildSelection(images: look.rule.images, excluding: spent)
        let plan = try await plans.plan(with: compose, selection).plan
        let isNew = plan.rows.contains { $0.decision == .build && !(tries[$0.image]?.isUnderWay ?? false) }
        if isNew, let rebuild = try await store.submitRebuild(plan, for: id, selection: selection, by: look, dateTag: try Self.day) {
            logger.info(
                "rule asks for a rebuild",
                metadata: [
                    "rebuild": "\(rebuild.id)", "compose": "\(id)", "builds": "\(rebuild.rows.compactMap(\.build))",
                ])
        }
        return plan.rows.filter { !$0.findings.isEmpty && tries[$0.image]?.areGivenUp(bounds) ?? false }.compactMap { names[$0.image] }
            .filter { !RebuildSelection(images: look.rule.images).leavesOut($0) }
    }

    /// Asks for builds of images whose bases have newer packages. An image is built after its parents: it
    /// is compared again when they have ended.
    ///
    /// - Returns: The images that are older and given up.
    private func followBases(of ids: Set<Int>, _ look: RuleLook, _ logger: Logger) async throws -> [ImageRepository] {
        let changes = try await BaseChanges(store: store).changes(of: ids)
        let tries = try await store.tries(because: Set(changes.map(\.cause)))
        let wanted = changes.filter { !(tries[$0.cause]?[$0.image]?.areSpent(bounds) ?? false) }
        let building = Set(wanted.map(\.image))
        let images = Dictionary(
            wanted.filter { $0.parents.isDisjoint(with: building) }.map { ($0.image, $0.cause) }, uniquingKeysWith: { first, _ in first })
        if !images.isEmpty {
            let builds = try await store.submitBuilds(of: images, by: look, dateTag: try Self.day)
            if !builds.isEmpty { logger.info("rule asks for builds on changed bases", metadata: ["builds": "\(builds)"]) }
        }
        let names = try await store.imageNames()
        return changes.filter { tries[$0.cause]?[$0.image]?.areGivenUp(bounds) ?? false }.compactMap { names[$0.image] }
    }

    /// Says that images are not built again, for people.
    private func givenUp(_ images: [ImageRepository]) -> String? {
        guard !images.isEmpty else { return nil }
        let shown = images.map(\.path).sorted().prefix(3).joined(separator: ", ")
        let more = images.count > 3 ? " and \(images.count - 3) more" : ""
        return "Builds did not help: \(shown)\(more). They are not tried again."
    }

    /// The tag of today. Example: `20261129`.
    private static var day: ImageTag {
        get throws { try ImageTag(Date().formatted(.iso8601.year().month().day().dateSeparator(.omitted))) }
    }
}

extension PostgresNotification {
    /// Whether the notification is of a compose or build that has ended or of a new rule, or means that
    /// anything may have happened.
    fileprivate var mayMakeLookDue: Bool {
        guard case .notified(let payload) = self else { return true }
        let words = payload.split(separator: " ")
        switch words.first {
        case "rule": return true
        case "build": return words.count == 3 && Int(words[1]).flatMap(BuildState.init(rawValue:))?.isFinal ?? false
        default: return words.count == 2 && Int(words[1]) != nil && Int(words[0]).flatMap(ComposeState.init(rawValue:))?.isFinal ?? false
        }
    }
}
