/// What a catalog was asked and has answered, so that it is asked each question once.
struct ModuleLookups: Sendable {
    /// Questions that the catalog is asked at once.
    private static let atOnce = 4

    private struct Question: Hashable {
        let subject: String
        let filter: ModuleBuildFilter
    }

    let catalog: any ModuleCatalog
    private var builds: [Question: [ModuleBuild]] = [:]
    private var streams: [Question: [String]] = [:]

    init(_ catalog: any ModuleCatalog) { self.catalog = catalog }

    /// The newest version in each of its contexts of what the reference means and the filter accepts, or exactly what is named; by id.
    mutating func builds(of reference: ModuleReference, filter: ModuleBuildFilter) async throws -> [ModuleBuild] {
        try await builds(of: [(reference, filter)])
        return builds[Question(subject: reference.description, filter: filter)] ?? []
    }

    /// Looks up several at once, for ``builds(of:filter:)`` to have them at hand.
    mutating func builds(of several: [(reference: ModuleReference, filter: ModuleBuildFilter)]) async throws {
        let catalog = catalog
        let questions = several.map { (Question(subject: $0.reference.description, filter: $0.filter), $0.reference) }
        try await Self.answer(questions, in: &builds) { question, reference in
            let found = try await catalog.builds(of: reference, filter: question.filter.applied(to: reference))
            return reference.choice(of: found, id: \.id).sorted { $0.id < $1.id }
        }
    }

    /// The streams of the module of which there are builds, sorted.
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
