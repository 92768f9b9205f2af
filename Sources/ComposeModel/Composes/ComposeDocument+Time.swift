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
        return String(unsafeUninitializedCapacity: 32) { text in
            var length = 0
            func append(_ number: Int32, digits: Int, then end: Unicode.Scalar) {
                var rest = number
                for place in (length..<length + digits).reversed() {
                    text[place] = UInt8(ascii: "0") + UInt8((rest % 10).magnitude)
                    rest /= 10
                }
                text[length + digits] = UInt8(ascii: end)
                length += digits + 1
            }
            let year = utc.tm_year + 1900
            append(year, digits: max(4, String(year).utf8.count), then: "-")
            append(utc.tm_mon + 1, digits: 2, then: "-")
            append(utc.tm_mday, digits: 2, then: "T")
            append(utc.tm_hour, digits: 2, then: ":")
            append(utc.tm_min, digits: 2, then: ":")
            append(utc.tm_sec, digits: 2, then: "Z")
            return length
        }
    }
}
