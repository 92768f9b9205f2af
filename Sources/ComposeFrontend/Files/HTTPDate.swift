import Foundation

/// Dates in the form of HTTP headers (RFC 9110, 5.6.7). Example: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    private static let format: Date.FormatString =
        """
        \(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \(year: .extended(minimumLength: 4)) \
        \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits) GMT
        """
    private static let locale = Locale(identifier: "en_US_POSIX")
    private static let calendar = Calendar(identifier: .gregorian)

    private static let style = Date.VerbatimFormatStyle(format: format, locale: locale, timeZone: .gmt, calendar: calendar)
    private static let strategy = Date.ParseStrategy(
        format: format, locale: locale, timeZone: .gmt, calendar: calendar, isLenient: false)

    static func format(_ date: Date) -> String {
        date.formatted(style)
    }

    /// Returns the date that `text` is, or `nil` if it is not an HTTP date. A header without a valid date
    /// is ignored.
    static func parse(_ text: String) -> Date? {
        // The reason does not matter to a caller whose header is ignored.
        try? strategy.parse(text)
    }
}
