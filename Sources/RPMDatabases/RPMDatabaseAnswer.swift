/// An *rpmdb answer* is the output of the program `odcs-rpmdb`, which reads an rpmdb from a stranger's
/// image.
///
/// The program has to start quickly, so it does without JSON and Foundation. Its output is a word, then
/// texts, and then the word `end`, each with a zero byte after it.
public enum RPMDatabaseAnswer: Hashable, Sendable {
    case packages([DatabasePackage])
    /// The rpmdb cannot be read, for this reason, which is a sentence.
    case problem(String)

    /// The line before the answer, once the process has given up its rights. Before it, a failure is one
    /// of the host.
    public static let beginning = "confined"

    private static let packagesWord = "packages"
    private static let problemWord = "problem"
    private static let endWord = "end"
    /// The number of texts of a package.
    private static let members = 7

    /// The answer as the program writes it.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func add(_ text: String) {
            // No text of librpm has a zero byte.
            bytes += text.utf8.lazy.filter { $0 != 0 }
            bytes.append(0)
        }
        switch self {
        case .problem(let text):
            add(Self.problemWord)
            add(text)
        case .packages(let packages):
            add(Self.packagesWord)
            for package in packages {
                add(package.name)
                add("\(package.epoch)")
                add(package.version)
                add(package.release)
                add(package.arch)
                add(package.source ?? "")
                add(package.modularityLabel ?? "")
            }
        }
        add(Self.endWord)
        return bytes
    }

    /// Reads what the program has written. Returns nil if it is no whole answer.
    public init?(_ bytes: [UInt8]) {
        guard bytes.last == 0 else { return nil }
        let texts = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        guard texts.count > 1, texts.last == Self.endWord else { return nil }
        let rest = texts.dropFirst().dropLast()
        switch texts.first {
        case Self.problemWord where rest.count == 1: self = .problem(texts[1])
        case Self.packagesWord where rest.count.isMultiple(of: Self.members):
            var packages: [DatabasePackage] = []
            for first in stride(from: rest.startIndex, to: rest.endIndex, by: Self.members) {
                let text = rest[first..<first + Self.members].map { $0 }
                guard let epoch = Int(text[1]) else { return nil }
                packages.append(
                    DatabasePackage(
                        name: text[0], epoch: epoch, version: text[2], release: text[3], arch: text[4],
                        source: text[5].isEmpty ? nil : text[5], modularityLabel: text[6].isEmpty ? nil : text[6]))
            }
            self = .packages(packages)
        default: return nil
        }
    }
}
