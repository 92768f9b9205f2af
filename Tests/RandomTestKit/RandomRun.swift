import Foundation

/// How far tests with random input go. The environment can change it, for a long run or to repeat a failure.
public enum RandomRun {
    /// The number of changes that a test makes, from `ODCS_TEST_CHANGES`.
    public static let changes = number("ODCS_TEST_CHANGES") ?? 50
    /// The seed of the first random numbers, from `ODCS_TEST_SEED`. Each run has another one.
    public static let seed = number("ODCS_TEST_SEED") ?? Int.random(in: 1...999_999)

    /// Whether more than a usual run was asked for.
    public static var isLong: Bool { changes > 200 }

    private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }
}
