import Foundation

/// The clocks that tokens and keys are checked with. Tests set their own.
public struct ProviderClocks: Sendable {
    /// Returns the time in seconds since 1970, as tokens state it.
    public var date: @Sendable () -> Double
    /// Returns the time since some moment in the past. No one can set it back.
    public var uptime: @Sendable () -> Duration
    /// The clock of the pauses between two requests for the keys.
    public var pauses: any Clock<Duration>

    public init(date: @escaping @Sendable () -> Double, uptime: @escaping @Sendable () -> Duration, pauses: any Clock<Duration>) {
        self.date = date
        self.uptime = uptime
        self.pauses = pauses
    }

    public static let system: ProviderClocks = {
        let start = ContinuousClock.now
        return ProviderClocks(
            date: { Date().timeIntervalSince1970 }, uptime: { ContinuousClock.now - start }, pauses: ContinuousClock())
    }()
}
