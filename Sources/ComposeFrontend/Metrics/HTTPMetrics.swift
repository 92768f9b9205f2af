import Hummingbird
import NIOConcurrencyHelpers

/// Counts requests and their durations by method, route and status, and refused requests by their
/// reason. The number of values of each of them is bounded. The route is a pattern such as
/// `/api/1/composes/{id}`, never the path.
final class HTTPMetrics: Sendable {
    private struct Answer: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    private struct Refusal: Hashable {
        let status: Int
        let provider: String
        let reason: String
    }

    private struct Durations {
        /// For each bound, the number of requests that took no longer than it.
        var counts = [Int](repeating: 0, count: HTTPMetrics.bounds.count)
        var count = 0
        var sum = 0.0
    }

    private struct State {
        var answers: [Answer: Int] = [:]
        var durations: [String: Durations] = [:]
        var refusals: [Refusal: Int] = [:]
    }

    /// The upper bounds of the histogram, in seconds.
    private static let bounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, .infinity]

    private let state = NIOLockedValueBox(State())

    func record(method: HTTPRequest.Method, route: String, status: HTTPResponse.Status, duration: Duration) {
        let answer = Answer(
            method: Resource.methods.contains(method) ? method.rawValue : "other", route: route, status: status.code)
        let seconds = duration.inSeconds
        state.withLockedValue { state in
            state.answers[answer, default: 0] += 1
            var durations = state.durations[route, default: Durations()]
            for (index, bound) in Self.bounds.enumerated() where seconds <= bound {
                durations.counts[index] += 1
            }
            durations.count += 1
            durations.sum += seconds
            state.durations[route] = durations
        }
    }

    /// Counts a refused request. Only the statuses 401, 403 and 429 count.
    ///
    /// - Parameter sender: The provider that recognized the sender. `nil` if the sender is not known.
    func record(_ rejection: RequestRejection, sender provider: String?) {
        guard [.unauthorized, .forbidden, .tooManyRequests].contains(rejection.status) else { return }
        let refusal = Refusal(
            status: rejection.status.code, provider: rejection.provider ?? provider ?? "none",
            reason: rejection.reason?.rawValue ?? "other")
        state.withLockedValue { $0.refusals[refusal, default: 0] += 1 }
    }

    var families: [MetricFamily] {
        let state = state.withLockedValue { $0 }
        let refusals = state.refusals.sorted {
            ($0.key.status, $0.key.provider, $0.key.reason) < ($1.key.status, $1.key.provider, $1.key.reason)
        }
        let answers = state.answers.sorted { ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status) }
        return [
            MetricFamily(
                "odcs_http_requests_total", help: "Requests answered.", kind: .counter,
                samples: answers.map { answer, count in
                    .init(
                        labels: [("method", answer.method), ("route", answer.route), ("status", "\(answer.status)")], value: Double(count))
                }),
            MetricFamily(
                "odcs_http_requests_refused_total", help: "Requests refused with 401, 403 or 429, by identity provider and reason.",
                kind: .counter,
                samples: refusals.map { refusal, count in
                    .init(
                        labels: [("status", "\(refusal.status)"), ("provider", refusal.provider), ("why", refusal.reason)],
                        value: Double(count))
                }),
            MetricFamily(
                "odcs_http_request_duration_seconds", help: "Time from a request to the head of its answer.", kind: .histogram,
                samples: state.durations.sorted { $0.key < $1.key }.flatMap { Self.samples(route: $0, $1) }),
        ]
    }

    private static func samples(route: String, _ durations: Durations) -> [MetricFamily.Sample] {
        var samples = zip(bounds, durations.counts).map { bound, count in
            MetricFamily.Sample(
                suffix: "_bucket", labels: [("route", route), ("le", MetricFamily.written(bound))], value: Double(count))
        }
        samples.append(.init(suffix: "_sum", labels: [("route", route)], value: durations.sum))
        samples.append(.init(suffix: "_count", labels: [("route", route)], value: Double(durations.count)))
        return samples
    }
}

extension Duration {
    fileprivate var inSeconds: Double { self / .seconds(1) }
}
