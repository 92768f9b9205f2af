/// An *EVR* is the epoch, version and release of a package, which order its builds. Example:
/// `1:3.0.7-28.el9`.
///
/// The order is that of RPM. The epoch counts first. Versions and releases are compared as `rpmvercmp`
/// of librpm compares them.
public struct EVR: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var epoch: Int
    public var version: String
    public var release: String

    public init(epoch: Int = 0, version: String, release: String) {
        self.epoch = epoch
        self.version = version
        self.release = release
    }

    /// For example `1:3.0.7-28.el9`. An epoch of 0 is left out.
    public var description: String { "\(epoch == 0 ? "" : "\(epoch):")\(version)-\(release)" }

    public static func < (a: EVR, b: EVR) -> Bool {
        if a.epoch != b.epoch { return a.epoch < b.epoch }
        let order = Self.order(a.version, b.version)
        return (order == 0 ? Self.order(a.release, b.release) : order) < 0
    }

    /// Equal builds are not always written alike: `1.0` and `1.00` are the same version.
    public static func == (a: EVR, b: EVR) -> Bool {
        a.epoch == b.epoch && order(a.version, b.version) == 0 && order(a.release, b.release) == 0
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(epoch) }

    /// Compares two versions or two releases (`rpmvercmp`).
    ///
    /// - Returns: A negative number if the first is older, 0 if they are equal, and a positive number if
    ///   the first is newer.
    static func order(_ one: String, _ two: String) -> Int {
        var (one, two) = (Array(one.utf8)[...], Array(two.utf8)[...])
        while !one.isEmpty || !two.isEmpty {
            one = one.drop(while: isSeparator)
            two = two.drop(while: isSeparator)
            // A tilde sorts before everything, even before the end.
            if one.first == tilde || two.first == tilde {
                guard one.first == tilde else { return 1 }
                guard two.first == tilde else { return -1 }
                one.removeFirst()
                two.removeFirst()
                continue
            }
            // A caret sorts after the end, and before everything else.
            if one.first == caret || two.first == caret {
                if one.isEmpty { return -1 }
                if two.isEmpty { return 1 }
                guard one.first == caret else { return 1 }
                guard two.first == caret else { return -1 }
                one.removeFirst()
                two.removeFirst()
                continue
            }
            guard let first = one.first, !two.isEmpty else { break }
            let isNumber = isDigit(first)
            let left = take(isNumber ? isDigit : isLetter, from: &one)
            let right = take(isNumber ? isDigit : isLetter, from: &two)
            // A number is newer than letters.
            if right.isEmpty { return isNumber ? 1 : -1 }
            let order = isNumber ? numberOrder(left, right) : textOrder(left, right)
            if order != 0 { return order }
        }
        return one.isEmpty ? (two.isEmpty ? 0 : -1) : 1
    }

    private static let tilde = UInt8(ascii: "~")
    private static let caret = UInt8(ascii: "^")

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool { byte.isLetterOrDigit && !isDigit(byte) }

    private static func isSeparator(_ byte: UInt8) -> Bool { !byte.isLetterOrDigit && byte != tilde && byte != caret }

    private static func take(_ belongs: (UInt8) -> Bool, from text: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let part = text.prefix(while: belongs)
        text = text.dropFirst(part.count)
        return part
    }

    /// Compares numbers of any length.
    private static func numberOrder(_ one: ArraySlice<UInt8>, _ two: ArraySlice<UInt8>) -> Int {
        let zero = UInt8(ascii: "0")
        let (one, two) = (one.drop { $0 == zero }, two.drop { $0 == zero })
        return one.count == two.count ? textOrder(one, two) : one.count - two.count
    }

    private static func textOrder(_ one: ArraySlice<UInt8>, _ two: ArraySlice<UInt8>) -> Int {
        one.lexicographicallyPrecedes(two) ? -1 : two.lexicographicallyPrecedes(one) ? 1 : 0
    }
}

/// An EVR is stored as its members.
extension EVR: Codable {}
