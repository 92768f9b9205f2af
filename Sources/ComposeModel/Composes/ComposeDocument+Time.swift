public import Foundation

extension ComposeDocument {
    /// Returns the date as `YYYY-MM-DDTHH:MM:SSZ`, in UTC and without fractions of a second. Example:
    /// `2020-09-13T12:26:40Z`.
    public static func format(_ date: Date) -> String {
        var second = time_t(date.timeIntervalSince1970.rounded(.down))
        var utc = tm()
        // Foundation's own formatting asks for a calendar each time. That takes longer than the rest of a
        // document.
        gmtime_r(&second, &utc)
        var text: [UInt8] = []
        func append(_ number: Int32, digits: Int, then end: Unicode.Scalar) {
            let number = String(number).utf8
            text.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, digits - number.count)))
            text.append(contentsOf: number)
            text.append(UInt8(ascii: end))
        }
        append(utc.tm_year + 1900, digits: 4, then: "-")
        append(utc.tm_mon + 1, digits: 2, then: "-")
        append(utc.tm_mday, digits: 2, then: "T")
        append(utc.tm_hour, digits: 2, then: ":")
        append(utc.tm_min, digits: 2, then: ":")
        append(utc.tm_sec, digits: 2, then: "Z")
        return String(decoding: text, as: UTF8.self)
    }
}
