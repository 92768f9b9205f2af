import Foundation
import Processes

/// The *subordinate numbers* of users or groups: ranges that an ordinary user may use in its user
/// namespaces, see subuid(5).
struct SubordinateNumbers {
    enum File: String, CaseIterable {
        case users = "/etc/subuid"
        case groups = "/etc/subgid"

        var path: String { rawValue }
        /// The option of usermod(8) that adds a range.
        var option: String { self == .users ? "--add-subuids" : "--add-subgids" }
    }

    /// The numbers that an image needs at least: users go up to 65534.
    static let needed = 65_536

    private let ranges: [(owner: String, first: Int, count: Int)]

    init(_ file: File) {
        // A host without the file has no ranges, which the check of the account reports.
        self.init(text: (try? String(contentsOfFile: file.path, encoding: .utf8)) ?? "")
    }

    /// - Parameter text: Lines of `OWNER:FIRST:COUNT`.
    init(text: String) {
        ranges = text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 3, let first = UInt32(parts[1]), let count = UInt32(parts[2]) else { return nil }
            return (String(parts[0]), Int(first), Int(count))
        }
    }

    /// The ranges of an account. They are under its name or its own number.
    func ranges(of account: Account) -> [(first: Int, count: Int)] {
        ranges.filter { $0.owner == account.name || $0.owner == "\(account.user)" }.map { ($0.first, $0.count) }
    }

    func count(for account: Account) -> Int { ranges(of: account).map(\.count).reduce(0, +) }

    /// The first number after all ranges.
    var firstFree: Int { max(100_000, ranges.map { $0.first + $0.count }.max() ?? 0) }
}
