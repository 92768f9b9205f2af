import ComposeModel
import ComposeStore
import ImageModel
import Logging

/// Store metrics are the part of `/api/1/metrics/` that describes the whole service, from numbers in
/// the database.
struct StoreMetrics: Sendable {
    let store: ComposeStore
    /// Whether this server builds images, which have metrics then.
    let buildsImages: Bool
    /// The time before the end of an API token from which on it counts as expiring.
    let tokenWarning: Duration

    /// Returns the metrics of the queue and of the workers. If the database does not answer, only
    /// `odcs_database_up 0` is returned, so that the other metrics of the page are still shown.
    func families(logger: Logger) async -> [MetricFamily] {
        do {
            let statistics = try await store.statistics(warning: tokenWarning)
            let work = try await store.workDone()
            let images = buildsImages ? Self.images(try await store.buildStatistics()) : []
            let subscribers = try await store.subscribers()
            return [Self.databaseIsUp(true)] + Self.queue(statistics) + Self.work(work) + images + Self.subscribers(subscribers)
        } catch {
            logger.error("no statistics from the database", metadata: ["error": "\(String(reflecting: error))"])
            return [Self.databaseIsUp(false)]
        }
    }

    private static func databaseIsUp(_ isUp: Bool) -> MetricFamily {
        MetricFamily("odcs_database_up", help: "Whether the database answers.", kind: .gauge, value: isUp ? 1 : 0)
    }

    private static func queue(_ statistics: QueueStatistics) -> [MetricFamily] {
        [
            MetricFamily(
                "odcs_composes", help: "Composes, by source type and state.", kind: .gauge,
                samples: statistics.counts.map {
                    .init(labels: [("source_type", $0.sourceType.name), ("state", $0.state.name)], value: Double($0.composes))
                }),
            MetricFamily("odcs_queue_depth", help: "Composes that wait for a worker.", kind: .gauge, value: Double(statistics.depth)),
            MetricFamily(
                "odcs_queue_oldest_wait_seconds", help: "How long the oldest of them has waited.", kind: .gauge,
                value: statistics.oldestWaitSeconds),
            MetricFamily(
                "odcs_workers_alive", help: "Workers heard of lately.", kind: .gauge, value: Double(statistics.workersAlive)),
            MetricFamily(
                "odcs_watches", help: "Watches that stand, by whether Koji could be looked at for them.", kind: .gauge,
                samples: [
                    .init(labels: [("look", "good")], value: Double(statistics.watches - statistics.watchesWithProblem)),
                    .init(labels: [("look", "failed")], value: Double(statistics.watchesWithProblem)),
                ]),
            MetricFamily(
                "odcs_tokens_expiring", help: "API tokens that end soon, so that their owners are warned.", kind: .gauge,
                value: Double(statistics.tokensExpiring)),
        ]
    }

    private static func subscribers(_ subscribers: [Subscriber]) -> [MetricFamily] {
        func samples(_ value: (Subscriber) -> Double) -> [MetricFamily.Sample] {
            // Everybody may read metrics, and the path of an address can be a secret.
            subscribers.map { .init(labels: [("subscriber", $0.name.contains("/") ? "\($0.id)" : $0.name)], value: value($0)) }
        }
        return [
            MetricFamily(
                "odcs_subscriber_lag_events", help: "Events that a subscriber has not taken yet.", kind: .gauge,
                samples: samples { Double($0.behind) }),
            MetricFamily(
                "odcs_subscriber_lag_seconds", help: "How long the oldest of them has waited.", kind: .gauge, samples: samples(\.lagSeconds)
            ),
            MetricFamily(
                "odcs_subscriber_failures", help: "Deliveries to a subscriber that failed in a row.", kind: .gauge,
                samples: samples { Double($0.failures) }),
            MetricFamily(
                "odcs_subscriber_paused", help: "Whether the deliveries to a subscriber are paused.", kind: .gauge,
                samples: samples { $0.pausedAt == nil ? 0 : 1 }),
            MetricFamily(
                "odcs_dead_letters", help: "Events that a subscriber refused, or lost because of their age.", kind: .gauge,
                samples: samples { Double($0.deadLetters) }),
        ]
    }

    private static func images(_ statistics: BuildStatistics) -> [MetricFamily] {
        [
            MetricFamily(
                "odcs_builds", help: "Builds of images that have not ended, by state.", kind: .gauge,
                samples: statistics.builds.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                    .init(labels: [("state", $0.key.name)], value: Double($0.value))
                }),
            MetricFamily(
                "odcs_build_steps", help: "Steps of these builds, by state.", kind: .gauge,
                samples: statistics.steps.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                    .init(labels: [("state", $0.key.name)], value: Double($0.value))
                }),
            MetricFamily(
                "odcs_build_queue_depth", help: "Steps that wait for nothing but a worker.", kind: .gauge, value: Double(statistics.depth)),
            MetricFamily(
                "odcs_build_nodes_disabled", help: "Workers that build no images, because a digest was a lie.", kind: .gauge,
                value: Double(statistics.disabledNodes)),
            MetricFamily(
                "odcs_farm_nodes", help: "Nodes of farms that get no steps, by the reason.", kind: .gauge,
                samples: [
                    .init(labels: [("state", "lost")], value: Double(statistics.lostNodes)),
                    .init(labels: [("state", "disabled")], value: Double(statistics.disabledFarmNodes)),
                ]),
            MetricFamily(
                "odcs_rules_with_problems", help: "Rules that cannot be followed, or whose builds do not help.", kind: .gauge,
                value: Double(statistics.rulesWithProblems)),
            MetricFamily(
                "odcs_image_manifests", help: "Manifests of images in use, by whether their packages are known.", kind: .gauge,
                samples: [
                    .init(labels: [("contents", "known")], value: Double(statistics.manifests - statistics.manifestsOfUnknownContents)),
                    .init(labels: [("contents", "unknown")], value: Double(statistics.manifestsOfUnknownContents)),
                ]),
        ]
    }

    private static func work(_ work: WorkTally) -> [MetricFamily] {
        func count(_ label: String, _ value: String, _ event: WorkTally.Event) -> MetricFamily.Sample {
            .init(labels: [(label, value)], value: Double(work.events[event] ?? 0))
        }
        return [
            MetricFamily(
                "odcs_phase_duration_seconds", help: "Time that workers spent on a phase of one attempt.", kind: .histogram,
                samples: WorkTally.Phase.allCases.flatMap {
                    samples(of: work.phases[$0] ?? DurationHistogram(), ("phase", $0.rawValue))
                }),
            times(.wait, work, "odcs_compose_wait_seconds", help: "Time from the request of a compose to its first attempt."),
            times(.duration, work, "odcs_compose_duration_seconds", help: "Time from the request of a compose to its end by a worker."),
            MetricFamily(
                "odcs_settled_composes_total",
                help:
                    "Composes whose inputs were pinned: built, or an equal one was done (reused) or under way (joined), or one with the same packages was done (unchanged).",
                kind: .counter,
                samples: [
                    count("outcome", "built", .composeBuilt), count("outcome", "reused", .composeReused),
                    count("outcome", "joined", .composeJoined), count("outcome", "unchanged", .composeUnchanged),
                ]),
            MetricFamily(
                "odcs_metadata_lookups_total", help: "Repositories' metadata that workers needed: a hit was on their host already.",
                kind: .counter, samples: [count("cache", "hit", .metadataHit), count("cache", "miss", .metadataMiss)]),
            MetricFamily(
                "odcs_delivered_files_total", help: "Package files that workers put into composes, by how.", kind: .counter,
                samples: [
                    count("method", "hardlink", .fileHardlink), count("method", "reflink", .fileReflink),
                    count("method", "copy", .fileCopy), count("method", "download", .fileDownload),
                ]),
        ]
    }

    private static func times(_ time: WorkTally.Time, _ work: WorkTally, _ name: String, help: String) -> MetricFamily {
        MetricFamily(
            name, help: help, kind: .histogram,
            samples: SourceType.allCases.flatMap { type in
                samples(of: work.times[.init(time, of: type)] ?? DurationHistogram(), ("source_type", type.name))
            })
    }

    private static func samples(of histogram: DurationHistogram, _ label: (name: String, value: String)) -> [MetricFamily.Sample] {
        var samples = DurationHistogram.bounds.map { bound in
            MetricFamily.Sample(
                suffix: "_bucket", labels: [label, ("le", MetricFamily.written(bound))], value: Double(histogram.times(upTo: bound)))
        }
        samples.append(.init(suffix: "_sum", labels: [label], value: histogram.seconds))
        samples.append(.init(suffix: "_count", labels: [label], value: Double(histogram.times)))
        return samples
    }
}
