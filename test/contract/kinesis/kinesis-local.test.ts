/** The contract against kinesis-local: a second opinion, with its deviations. */
import { describeKinesisContract } from './kinesis-suite.ts';

describeKinesisContract('kinesis-local');
