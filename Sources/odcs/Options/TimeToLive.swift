import ArgumentParser

/// A time to live in seconds, or as a number with a unit. Examples: `90m`, `1h`, `2d`, `1w`.
struct TimeToLive: ExpressibleByArgument, Equatable {
    let seconds: Int

    init?(argument: String) {
        guard let match = argument.wholeMatch(of: /(\d+)([smhdw]?)/), let count = Int(match.1), count > 0 else { return nil }
        let unit =
            switch match.2 {
            case "m": 60
            case "h": 3600
            case "d": 86400
            case "w": 604_800
            default: 1
            }
        let (seconds, overflows) = count.multipliedReportingOverflow(by: unit)
        if overflows { return nil }
        self.seconds = seconds
    }
}
