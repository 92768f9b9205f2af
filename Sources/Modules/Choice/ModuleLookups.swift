/// Asks a catalog and remembers its answers, so that each question is asked only once.
struct ModuleLookups: Sendable {
    /// The number of questions that are asked at the same time.
    private static let atOnce = 4

    private struct Question: Hashable {
        let subject: String
        let filter: ModuleBuildFilter
    }

    let catalog: any ModuleCatalog
    private var builds: [Question: [ModuleBuild]] = [:]
    private var streams: [Question: [String]] = [:]

    init(_ catalog: any ModuleCatalog) { self.catalog = catalog }

    /// Returns the matching builds that pass the filter, sorted by id. Without a version in the reference,
    /// these are the builds of the newest version in each of its contexts.
    mutating func builds(of reference: ModuleReference, filter: ModuleBuildFilter) async throws -> [ModuleBuild] {
        try await builds(of: [(reference, filter)])
        return builds[Question(subject: reference.description, filter: filter)] ?? []
    }

    /// Looks up several references at the same time. Later calls of ``builds(of:filter:)`` use the answers.
    mutating func builds(of several: [(reference: ModuleReference, filter: ModuleBuildFilter)]) async throws {
        let catalog = catalog
        let questions = several.map { (Question(subject: $0.reference.description, filter: $0.filter), $0.reference) }
        try await Self.answer(questions, in: &builds) { question, reference in
            let found = try await catalog.builds(of: reference, filter: question.filter.applied(to: reference))
            return reference.choice(of: found, id: \.id).sorted { $0.id < $1.id }
        }
    }

    /// Returns the streams of the module that have builds, sorted.
    mutating func streams(of module: String, filter: ModuleBuildFilter) async throws -> [String] {
        let catalog = catalog
        let question = Question(subject: module, filter: filter)
        try await Self.answer([(question, module)], in: &streams) { try await catalog.streams(of: $1, filter: $0.filter).sorted() }
        return streams[question] ?? []
    }

    private static func answer<Subject: Sendable, Answer: Sendable>(
        _ questions: [(Question, Subject)], in known: inout [Question: Answer],
        _ ask: @escaping @Sendable (Question, Subject) async throws -> Answer
    ) async throws {
        var seen: Set<Question> = []
        let unknown = questions.filter { known[$0.0] == nil && seen.insert($0.0).inserted }
        let answers = try await withThrowingTaskGroup(of: (Question, Answer).self) { group in
            var answers: [(Question, Answer)] = []
            for (place, (question, subject)) in unknown.enumerated() {
                if place >= atOnce, let answer = try await group.next() { answers.append(answer) }
                group.addTask { (question, try await ask(question, subject)) }
            }
            while let answer = try await group.next() { answers.append(answer) }
            return answers
        }
        for (question, answer) in answers { known[question] = answer }
    }
}
