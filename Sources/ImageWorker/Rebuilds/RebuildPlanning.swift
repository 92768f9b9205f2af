import BackgroundWork
import ComposeModel
public import ComposeStore
import ComposeWorker
import ImageModel
public import Logging
public import Postgres
public import Rebuilds
public import ServiceLifecycle

/// The *rebuild planning* makes the plans of rebuilds whose composes were not done when they were asked
/// for. It also lets builds begin whose composes have ended.
///
/// Every worker that builds images has one. It looks for rebuilds that wait although their compose has
/// ended. So nothing is lost while no worker runs. If two workers plan the same rebuild, the first one
/// wins.
public struct RebuildPlanning: Service {
    let store: ComposeStore
    let plans: RebuildPlans
    let listener: PostgresListener
    let channel: String
    let interval: Duration
    let logger: Logger

    /// - Parameter interval: The time between looks if no notification arrives.
    public init(
        store: ComposeStore, plans: RebuildPlans, listener: PostgresListener, channel: String, interval: Duration = .seconds(5),
        logger: Logger
    ) {
        self.store = store
        self.plans = plans
        self.listener = listener
        self.channel = channel
        self.interval = interval
        self.logger = logger
    }

    public func run() async throws {
        await repeatedly(after: listener.notifications(on: channel, where: \.mayEndCompose), orEvery: interval) {
            await planAll()
            await endWaits()
        }
    }

    private func planAll() async {
        do {
            for rebuild in try await store.rebuildsToPlan() { try await plan(rebuild) }
        } catch is CancellationError {
            return
        } catch {
            logger.workFailed("could not plan rebuilds", error)
        }
    }

    private func endWaits() async {
        do {
            for build in try await store.endWaitsForContent() {
                logger.info("build does not wait for its compose any more", metadata: ["build": "\(build)"])
            }
        } catch is CancellationError {
            return
        } catch {
            logger.workFailed("could not let builds begin whose composes have ended", error)
        }
    }

    private func plan(_ rebuild: Rebuild) async throws {
        var logger = logger
        logger[metadataKey: "rebuild"] = "\(rebuild.id)"
        do {
            guard let compose = try await store.compose(rebuild.compose) else { return }
            let drawn = try await plans.plan(with: compose, rebuild.selection)
            guard let planned = try await store.plan(rebuild.id, as: drawn.plan) else { return }
            logger.info("rebuild is planned", metadata: ["builds": "\(planned.rows.count { $0.build != nil })"])
        } catch let problem as RebuildProblem {
            logger.info("rebuild cannot be planned", metadata: ["reason": "\(problem)"])
            try await store.fail(rebuild: rebuild.id, because: problem.description)
        } catch let problem as ComposeNotUsable {
            try await store.fail(rebuild: rebuild.id, because: problem.description)
        }
    }
}

extension PostgresNotification {
    /// Whether the notification is of a compose that has ended, or means that anything may have happened.
    fileprivate var mayEndCompose: Bool {
        guard case .notified(let payload) = self else { return true }
        let words = payload.split(separator: " ")
        return words.count == 2 && Int(words[1]) != nil && Int(words[0]).flatMap(ComposeState.init(rawValue:)).map(\.isFinal) ?? false
    }
}
