import ComposeStore
import ForeignText
import NIOCore
import Synchronization

/// *Kept answers* are the bodies of recent answers about composes, so that an answer that is asked for
/// again needs neither rows nor JSON.
///
/// A kept answer shows everything that was committed before its request, as a new one would. Before it
/// is used, the database announces all changes until now. A change drops the answers that it concerns.
/// Without a connection to hear of changes, every answer is made anew.
final class KeptAnswers: Sendable {
    /// The subject of an answer.
    enum Subject: Hashable, Sendable {
        case compose(Int)
        /// The list of composes with this query, at this path. Example: `/api/1/composes/?page=2`.
        case list(ByteText)
    }

    /// An answer to a request without credentials that matter.
    struct Answer: Sendable {
        let body: ByteBuffer
        /// The target directory of the compose, which has readers. `nil` for a list.
        var targetDir: String?
        /// The compose whose result is shown.
        var result: Int?
        /// The time until which the answer holds if no change is announced. `nil` for any time.
        var end: ContinuousClock.Instant?
    }

    fileprivate enum Entry {
        /// An answer is being made. Each such entry has a number of its own.
        case begun(Int)
        /// An answer, and the base of the addresses in it.
        case kept(Answer, base: String)
    }

    fileprivate struct State {
        var entries: [Subject: Entry] = [:]
        /// The subjects that are lists.
        var lists: Set<Subject> = []
        /// The bytes of all entries.
        var bytes = 0
        var begun = 0
    }

    /// The size limits in bytes: of all answers together, and of one answer. A longer answer is not kept.
    /// If there is no room for another answer, all of them are dropped.
    fileprivate static let (room, longest) = (16 << 20, 256 << 10)
    /// The approximate bytes of an entry besides its body.
    fileprivate static let bytesOfEntry = 400

    private let changes: ComposeChanges?
    private let state = Mutex(State())

    /// - Parameter changes: `nil` to keep nothing.
    init(changes: ComposeChanges?) {
        self.changes = changes
        changes?.observe { [weak self] in self?.drop($0) }
    }

    /// Returns the answer about a subject.
    ///
    /// - Parameters:
    ///   - base: The base of the addresses in the answer. Example: `https://odcs.example.com`.
    ///   - make: Makes the answer from the database.
    func answer(about subject: Subject, base: String, make: () async throws -> Answer) async throws -> Answer {
        guard let changes else { return try await make() }
        if kept(subject, base) != nil, await changes.catchUp(), let answer = kept(subject, base) { return answer }
        let number = begin(subject)
        do {
            let answer = try await make()
            end(subject, number, with: .kept(answer, base: base))
            return answer
        } catch {
            end(subject, number, with: nil)
            throw error
        }
    }

    private func kept(_ subject: Subject, _ base: String) -> Answer? {
        let entry = state.withLock { $0.entries[subject] }
        guard case .kept(let answer, let itsBase)? = entry, itsBase == base else { return nil }
        if let end = answer.end, end <= .now { return nil }
        return answer
    }

    /// Records that an answer is being made. A change from now on means that it cannot be kept.
    ///
    /// - Returns: The number of the entry. Callers that make the same answer at the same time share one.
    private func begin(_ subject: Subject) -> Int {
        state.withLock { state in
            if case .begun(let number)? = state.entries[subject] { return number }
            state.begun += 1
            state.set(subject, .begun(state.begun))
            return state.begun
        }
    }

    /// Replaces the entry with this number, unless a change has dropped it.
    ///
    /// - Parameter entry: `nil` if there is nothing to keep.
    private func end(_ subject: Subject, _ number: Int, with entry: Entry?) {
        state.withLock { state in
            guard case .begun(number)? = state.entries[subject] else { return }
            if let entry, entry.bytes <= Self.longest { state.set(subject, entry) } else { state.remove(subject) }
        }
    }

    private func drop(_ change: ComposeChanges.Change) {
        state.withLock { state in
            switch change {
            case .any: return state.removeAll()
            case .compose(let id): state.remove(.compose(id))
            case .result(let id): for subject in state.subjects(showing: id) { state.remove(subject) }
            }
            // Every list can contain the compose, or count it.
            for list in state.lists { state.remove(list) }
        }
    }
}

extension KeptAnswers.Entry {
    fileprivate var bytes: Int {
        switch self {
        case .begun: 0
        case .kept(let answer, _): answer.body.readableBytes
        }
    }
}

extension KeptAnswers.State {
    fileprivate mutating func set(_ subject: KeptAnswers.Subject, _ entry: KeptAnswers.Entry) {
        remove(subject)
        if bytes + entry.bytes + KeptAnswers.bytesOfEntry > KeptAnswers.room { removeAll() }
        entries[subject] = entry
        bytes += entry.bytes + KeptAnswers.bytesOfEntry
        if case .list = subject { lists.insert(subject) }
    }

    fileprivate mutating func remove(_ subject: KeptAnswers.Subject) {
        guard let entry = entries.removeValue(forKey: subject) else { return }
        bytes -= entry.bytes + KeptAnswers.bytesOfEntry
        if case .list = subject { lists.remove(subject) }
    }

    fileprivate mutating func removeAll() {
        entries = [:]
        lists = []
        bytes = 0
    }

    /// The composes that show a result. One that is being read may show it.
    fileprivate func subjects(showing result: Int) -> [KeptAnswers.Subject] {
        entries.compactMap { subject, entry in
            switch entry {
            case .begun: subject
            case .kept(let answer, _): answer.result == result ? subject : nil
            }
        }
    }
}
