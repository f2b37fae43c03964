// What the samples of README.md expect of the program around them.
declare const process: { env: Record<string, string | undefined> };
declare const email: string;
declare const password: string;
declare const token: string;
declare function markField(pointer: string, detail: string): void;
declare function offerNewLink(): void;
declare function retryIn(seconds: number): void;
declare function retryLater(cause: unknown): void;
declare function showError(message: string): void;
declare function showWelcome(user: { name: string | null }): void;
declare function askForSecondFactor(challenge: string, methods: string[]): void;
