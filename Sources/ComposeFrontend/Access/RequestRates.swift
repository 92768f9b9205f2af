import Hummingbird
import Synchronization

/// Request rates bound the requests of each account, and the failed logins of each address, in one
/// frontend.
///
/// Each account has a bucket of tokens. It holds as many as the account may send in a minute, a request
/// takes one, and the bucket fills up evenly.
final class RequestRates: Sendable {
    private struct Bucket {
        var tokens: Double
        var size: Double
        var time: ContinuousClock.Instant

        /// Fills up for the time since the last use.
        mutating func fill(to now: ContinuousClock.Instant) {
            tokens = min(size, tokens + (now - time) / .seconds(60) * size)
            time = now
        }

        /// The seconds until the bucket has a whole token.
        var wait: Int { max(1, Int(((1 - tokens) * 60 / size).rounded(.up))) }
    }

    private static let (failures, mostBuckets) = (20, 10_000)

    private let accounts = Mutex<[String: Bucket]>([:])
    private let addresses = Mutex<[String: Bucket]>([:])

    /// Counts a request of an account.
    ///
    /// - Throws: ``RequestRejection`` with status 429 if the account has sent too many.
    func take(_ account: String, perMinute most: Int, at now: ContinuousClock.Instant = .now) throws(RequestRejection) {
        let wait = accounts.withLock { accounts -> Int? in
            Self.makeRoom(in: &accounts, for: account, at: now)
            var bucket = accounts[account] ?? Bucket(tokens: Double(most), size: Double(most), time: now)
            bucket.size = Double(most)
            bucket.fill(to: now)
            defer { accounts[account] = bucket }
            guard bucket.tokens >= 1 else { return bucket.wait }
            bucket.tokens -= 1
            return nil
        }
        guard let wait else { return }
        throw RequestRejection(
            .tooManyRequests, .requestsPerMinute, "\(account) has sent more than \(most) requests in a minute, which is the limit.",
            headers: [.retryAfter: "\(wait)"])
    }

    /// Checks that an address may try to log in.
    ///
    /// - Throws: ``RequestRejection`` with status 429 after too many failures.
    func checkFailures(of address: String, at now: ContinuousClock.Instant = .now) throws(RequestRejection) {
        let wait = addresses.withLock { addresses -> Int? in
            guard var bucket = addresses[address] else { return nil }
            bucket.fill(to: now)
            addresses[address] = bucket
            return bucket.tokens >= 1 ? nil : bucket.wait
        }
        guard let wait else { return }
        throw RequestRejection(
            .tooManyRequests, .failedLogins, "Too many requests of this address had wrong credentials. Ask again later, with right ones.",
            headers: [.retryAfter: "\(wait)"])
    }

    func recordFailure(of address: String, at now: ContinuousClock.Instant = .now) {
        addresses.withLock { addresses in
            Self.makeRoom(in: &addresses, for: address, at: now)
            let size = Double(Self.failures)
            var bucket = addresses[address] ?? Bucket(tokens: size, size: size, time: now)
            bucket.fill(to: now)
            bucket.tokens = max(0, bucket.tokens - 1)
            addresses[address] = bucket
        }
    }

    /// Forgets full buckets, or all, if there are too many. A full bucket is as good as none.
    private static func makeRoom(in buckets: inout [String: Bucket], for key: String, at now: ContinuousClock.Instant) {
        guard buckets[key] == nil, buckets.count >= mostBuckets else { return }
        buckets = buckets.filter { _, bucket in
            var bucket = bucket
            bucket.fill(to: now)
            return bucket.tokens < bucket.size
        }
        if buckets.count >= mostBuckets { buckets = [:] }
    }
}
