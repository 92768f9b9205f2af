import struct Foundation.Date

/// A moment in UTC in whole microseconds, and its text in PostgreSQL's ISO style.
///
/// Example: `2026-11-21 10:00:00.123456+00`
struct Timestamp: Equatable {
    /// Microseconds since the beginning of 2001, Foundation's reference date.
    let microseconds: Int

    private static let microsecondsPerDay = 86_400_000_000
    /// The days from the first of March of the year 0 to the beginning of 2001, in the Gregorian calendar
    /// extended backwards.
    private static let epoch = daysSinceMarch(year: 2001, month: 1, day: 1)
}

extension Timestamp {
    /// Makes a timestamp. Returns nil for a date outside the years 1 to 9999, or for one that is not a
    /// number.
    init?(_ date: Date) {
        let seconds = date.timeIntervalSinceReferenceDate
        // The first moments of the years 1 and 10000.
        guard seconds >= -63_113_904_000, seconds < 252_423_993_600 else { return nil }
        microseconds = Int((seconds * 1e6).rounded())
    }

    var date: Date { Date(timeIntervalSinceReferenceDate: Double(microseconds) / 1e6) }
}

extension Timestamp: LosslessStringConvertible {
    /// Reads PostgreSQL's ISO style. Returns nil for other texts, such as `infinity` or a year before
    /// Christ.
    init?(_ text: String) {
        var reader = Reader(digits: Array(text.utf8)[...])
        guard let year = reader.number(digits: 4), reader.skip("-"), let month = reader.number(digits: 2), (1...12).contains(month),
            reader.skip("-"), let day = reader.number(digits: 2), reader.skip(" "), let hour = reader.number(digits: 2),
            reader.skip(":"), let minute = reader.number(digits: 2), reader.skip(":"), let second = reader.number(digits: 2)
        else { return nil }
        let fraction = reader.skip(".") ? reader.fraction() : 0
        guard let fraction, reader.skip("+"), reader.number(digits: 2) == 0, reader.digits.isEmpty else { return nil }
        let days = Self.daysSinceMarch(year: year, month: month, day: day) - Self.epoch
        microseconds = days * Self.microsecondsPerDay + ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
    }

    var description: String {
        let (days, rest) = microseconds.flooredDivision(by: Self.microsecondsPerDay)
        let (year, month, day) = Self.date(daysSinceMarch: days + Self.epoch)
        let (seconds, fraction) = rest.quotientAndRemainder(dividingBy: 1_000_000)
        func padded(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2)) "
            + "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2)).\(padded(fraction, 6))+00"
    }

    // If a year begins in March, its leap day is at the end. The lengths of the months are then regular:
    // 153 days in every five months.

    private static func daysSinceMarch(year: Int, month: Int, day: Int) -> Int {
        let year = month > 2 ? year : year - 1
        let month = (month + 9) % 12
        return year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1
    }

    private static func date(daysSinceMarch days: Int) -> (year: Int, month: Int, day: Int) {
        // The mean year has 365.2425 days, so this guess is right or one too small.
        var year = (days * 400) / 146_097
        while daysSinceMarch(year: year + 1, month: 3, day: 1) <= days { year += 1 }
        while daysSinceMarch(year: year, month: 3, day: 1) > days { year -= 1 }
        let dayOfYear = days - daysSinceMarch(year: year, month: 3, day: 1)
        let month = (dayOfYear * 5 + 2) / 153
        let day = dayOfYear - (month * 153 + 2) / 5 + 1
        return month < 10 ? (year, month + 3, day) : (year + 1, month - 9, day)
    }

    private struct Reader {
        var digits: ArraySlice<UInt8>

        mutating func skip(_ character: Character) -> Bool {
            guard digits.first == character.asciiValue else { return false }
            digits.removeFirst()
            return true
        }

        /// Reads a number of `count` to 6 digits.
        mutating func number(digits count: Int) -> Int? {
            let prefix = digits.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard prefix.count >= count, prefix.count <= 6 else { return nil }
            digits.removeFirst(prefix.count)
            return prefix.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        }

        /// Reads up to six decimals, and returns them in millionths.
        mutating func fraction() -> Int? {
            let width = digits.count
            guard var number = number(digits: 1) else { return nil }
            for _ in (width - digits.count)..<6 { number *= 10 }
            return number
        }
    }
}

extension Int {
    /// Divides. The remainder is never negative.
    fileprivate func flooredDivision(by divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
