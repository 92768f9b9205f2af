import ComposeModel
import ForeignText

/// A word list checks the lists of a request: their length and the form of each word.
struct WordList {
    let limits: RequestLimits

    /// Returns a list of words of any form.
    func plain(_ asked: [String]?, _ name: String) throws(RequestRejection) -> [String] {
        let words = asked ?? []
        try checkLength(words, name, maximum: limits.maximumListLength)
        for (index, word) in words.enumerated() {
            try checkWord(word, "\(name)[\(index)]")
        }
        return words
    }

    func single(_ asked: String?, _ name: String) throws(RequestRejection) -> String? {
        guard let asked, !asked.isEmpty else { return nil }
        try checkWord(asked, name)
        return asked
    }

    /// Returns a list of package names. They may contain any printable character, because they may be
    /// globs.
    func packages(_ asked: [String]?, _ name: String) throws(RequestRejection) -> [String] {
        let packages = asked ?? []
        try checkLength(packages, name, maximum: limits.maximumPackages)
        for (index, package) in packages.enumerated() {
            try checkWord(package, "\(name)[\(index)]")
        }
        return packages
    }

    func builds(_ asked: [String]?, _ name: String) throws(RequestRejection) -> [String] {
        let builds = try plain(asked, name)
        for (index, build) in builds.enumerated() {
            let parts = build.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count >= 3, parts[0] != "", parts.suffix(2).allSatisfy({ !$0.isEmpty }) else {
                throw .badRequest(
                    "\(name)[\(index)] is \(build.quoted); it must be a build as NAME-VERSION-RELEASE, such as ed-1.20-3.fc42.")
            }
        }
        return builds
    }

    func modules(_ asked: [String]?, _ name: String) throws(RequestRejection) -> [String] {
        let modules = try plain(asked, name)
        for (index, module) in modules.enumerated() {
            try Self.checkModule(module, "\(name)[\(index)]")
        }
        return modules
    }

    static func checkModule(_ module: String, _ name: String) throws(RequestRejection) {
        let parts = module.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...4).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
            throw .badRequest("\(name) is \(module.quoted); it must be a module as N:S, N:S:V or N:S:V:C, such as nodejs:22.")
        }
        if parts.count > 2, UInt64(parts[2]) == nil {
            throw .badRequest("\(name) is \(module.quoted), whose version is no number; a module is written N:S, N:S:V or N:S:V:C.")
        }
    }

    func taskIDs(_ asked: [String]?, _ name: String) throws(RequestRejection) -> [String] {
        let tasks = try plain(asked, name)
        for (index, task) in tasks.enumerated() where !task.allSatisfy(\.isASCIIDigit) {
            throw .badRequest("\(name)[\(index)] is \(task.quoted); it must be the number of a koji task.")
        }
        return tasks
    }

    /// Returns a list of key ids, or `nil` if none are given. The empty key allows unsigned packages.
    func sigkeys(_ asked: [String]?, _ name: String) throws(RequestRejection) -> [String]? {
        guard let asked else { return nil }
        try checkLength(asked, name, maximum: limits.maximumListLength)
        for (index, key) in asked.enumerated() where !key.isEmpty {
            guard [8, 16].contains(key.utf8.count), key.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
                throw .badRequest(
                    "\(name)[\(index)] is \(key.quoted); a key id has 8 or 16 hexadecimal digits, and \"\" allows unsigned packages.")
            }
        }
        return asked
    }

    private func checkLength(_ words: [String], _ name: String, maximum: Int) throws(RequestRejection) {
        guard words.count > maximum else { return }
        throw .badRequest("\(name) has \(words.count) entries; \(maximum) are possible.")
    }

    /// Throws if `word` is empty or too long, or if it has a space or an invisible character. Lists are
    /// shown with a space between their words.
    private func checkWord(_ word: String, _ place: @autoclosure () -> String) throws(RequestRejection) {
        // Nearly all words are short and in ASCII, which needs no table.
        if !word.isEmpty, word.utf8.count <= limits.maximumWordLength, word.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) { return }
        let name = place()
        guard !word.isEmpty else { throw .badRequest("\(name) is empty; leave it out instead.") }
        let length = word.unicodeScalars.count
        guard length <= limits.maximumWordLength else {
            throw .badRequest("\(name) has \(length) characters; \(limits.maximumWordLength) are possible.")
        }
        if let wrong = word.unicodeScalars.first(where: { $0.properties.isWhitespace || $0.isInvisible }) {
            throw .badRequest(
                "\(name) is \(word.quoted) and contains \(wrong == " " ? "a space" : wrong.codePoint); each entry must be one word.")
        }
    }
}
