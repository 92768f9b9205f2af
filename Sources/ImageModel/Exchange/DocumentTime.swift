import Foundation

extension Date {
    /// The time in documents: UTC without fractions of a second. Example: `2026-11-29T12:26:40Z`.
    var inDocuments: String { Date(timeIntervalSince1970: timeIntervalSince1970.rounded(.down)).formatted(.iso8601) }
}
